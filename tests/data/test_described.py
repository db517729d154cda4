"""Items without a name are called by what describes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.data.dataset import Dataset
from grouprec.data.preparing.prepare import Prepared, prepare
from grouprec.data.roles.columns import detect_attribute_roles

IDS = [f"{1000 + n}" for n in range(60)]
GRAINS, WARES = ("oat", "rye", "corn", "rice", "wheat"), ("bread", "flakes", "milk", "flour", "cake")
KINDS = [f"{GRAINS[n % 5]} {WARES[n // 5 % 5]}" for n in range(60)]
ITEMS = pd.DataFrame(
    {
        "product_id": IDS,
        "department": ["grocery", "bakery"] * 30,
        "product_type": KINDS,
        "package_size": [f"{n} OZ" for n in range(60)],
    }
)


def prepared(folder: Path, items: pd.DataFrame, named: bool = False) -> Prepared:
    taken = [IDS[(user * 7 + n * 3) % 60] for user in range(40) for n in range(15)]
    rows = pd.DataFrame({"user": np.repeat(np.arange(40), 15), "item": taken})
    rows = rows.assign(product_name="Ware " + rows["item"]) if named else rows
    rows.to_csv(folder / "rows.csv", index=False)
    items.to_csv(folder / "items.csv", index=False)
    return prepare(folder / "rows.csv", items=folder / "items.csv")


def label_of(data: Dataset, item: str) -> str:
    return data.item_labels[data.item_ids.tolist().index(item)]


def test_items_are_called_by_their_finest_description_and_their_id(tmp_path: Path) -> None:
    made = prepared(tmp_path, ITEMS)
    assert label_of(made.dataset, "1007") == "corn flakes · 1007"
    assert any("called by 'product_type'" in doubt.on_command_line() for doubt in made.report.doubts)


def test_descriptions_of_single_items_are_names(tmp_path: Path) -> None:
    makers = ["".join("abcdefghij"[int(digit)] for digit in one) for one in IDS]
    made = prepared(tmp_path, ITEMS.assign(written=[f"{k} by {m}" for k, m in zip(KINDS, makers, strict=True)]))
    assert label_of(made.dataset, "1007") == "corn flakes by baah"


def test_a_name_in_either_file_is_kept(tmp_path: Path) -> None:
    named = prepared(tmp_path, ITEMS.assign(title="A loaf"))
    assert set(named.dataset.item_labels) == {"A loaf"}
    bought = prepared(tmp_path, ITEMS, named=True)
    assert label_of(bought.dataset, "1007") == "Ware 1007"
    for made in (named, bought):
        assert not any("called by" in doubt.on_command_line() for doubt in made.report.doubts)


@pytest.mark.parametrize(
    "column",
    [
        ["red", "blue"] * 30,
        [f"{n:05}" for n in range(60)],
        [f"https://shop.example/{kind}" for kind in map(str, range(60))],
        [f"2024-01-{n % 28 + 1:02}" for n in range(60)],
        [f"{kind} {n}" if n % 3 == 0 else None for n, kind in enumerate(KINDS)],
        [f"{n} LB" for n in range(60)],
        [f"size {n}" for n in range(60)],
    ],
    ids=["few values", "numbers", "addresses", "dates", "mostly empty", "amounts", "one wording"],
)
def test_what_describes_nothing_names_nothing(tmp_path: Path, column: list[str | None]) -> None:
    table = pd.DataFrame({"product_id": IDS, "other": column})
    roles = detect_attribute_roles(table, np.array(IDS, object), "item", "items.csv")
    assert roles.described_by is None and roles.label is None
    assert label_of(prepared(tmp_path, table).dataset, "1007") == "1007"
