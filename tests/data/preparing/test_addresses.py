"""Web addresses as items: one page is one item, and what may tell the page stays."""

from __future__ import annotations

import numpy as np
import pytest

from grouprec.data.preparing.addresses import merged_addresses


def merged(ids: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return every address with the item that it became, and what is said of that."""
    known = np.array(sorted(set(ids)), object)
    codes, items, doubts = merged_addresses(np.arange(len(known), dtype=np.int32), known, "url")
    return dict(zip(known, items[codes], strict=True)), [doubt.matter for doubt in doubts]


def test_what_tells_where_a_visit_came_from_goes_and_is_said() -> None:
    items, said = merged([f"/p/{n % 30}?utm_source=mail{n % 3}&sid={n}" for n in range(200)])
    assert items["/p/7?utm_source=mail1&sid=7"] == "/p/7"
    assert len(set(items.values())) == 30
    assert "(sid, utm_source)" in said[0]
    assert "30 pages instead of 200 addresses" in said[0]


def test_one_page_by_several_ways_of_writing_is_one_item() -> None:
    ways = ["http://www.Shop.example/a/", "https://shop.example/a", "https://shop.example/a#reviews"]
    items, _ = merged([*ways, "https://shop.example/A?x=1"])
    assert len({items[one] for one in ways}) == 1
    assert items["https://shop.example/A?x=1"] not in {items[one] for one in ways}


def test_a_parameter_that_is_another_one_in_every_row_goes_where_pages_are_left() -> None:
    items, _ = merged([f"/view.php?id={n % 40}&seen={n}" for n in range(200)])
    assert set(items.values()) == {f"/view.php?id={n}" for n in range(40)}


@pytest.mark.parametrize("address", ["/view.php?id={}", "/search?tag={}", "/list?cid={}", "/app#/item/{}"])
def test_what_tells_the_page_stays(address: str) -> None:
    ids = [address.format(n) for n in range(200)]
    items, said = merged([*ids, "/about?utm_source=mail"])
    assert [items[one] for one in ids] == ids
    assert items["/about?utm_source=mail"] == "/about"
    assert len(said) == 1


def test_addresses_that_no_browser_would_take_are_taken_as_they_are() -> None:
    odd = ["http://ex\u2100mple.com/?a=1", "http://[half/?a=1", "http://a.example/?q=%zz&&=", "/x?utm_source=1"]
    items, _ = merged(odd)
    assert items["/x?utm_source=1"] == "/x"
    assert len(set(items.values())) == 4


def test_ids_that_are_no_addresses_are_left_alone() -> None:
    ids = [f"item {n}? #{n}" for n in range(50)]
    items, said = merged(ids)
    assert list(items) == list(items.values())
    assert not said
