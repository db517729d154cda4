"""Choices that live in the URL: of one option, or of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import streamlit as st

from grouprec.core.language import _

T = TypeVar("T")
# What one page chooses and others show: name in the URL -> the widget, and the pages.
GOES_ALONG = {"lists": ("lists_n", ("decide", "groups", "recommendations"))}


def many_from_url(name: str, key: str, options: Sequence[str], default: Sequence[str] = ()) -> Callable[[], None]:
    """Give the widget ``key`` the options that ``?name=one,other`` asks for; call it before the widget.

    Like :func:`grouprec.ui.address.from_url`: the URL decides, an unknown option is passed over, and without any that
    is known the default holds. Options must not contain commas. Returns the ``on_change`` callback.
    """
    asked = st.query_params.get(name, "").split(",")
    st.session_state[key] = [option for option in options if option in asked] or list(default)

    def write() -> None:
        chosen = st.session_state[key]
        if chosen and list(chosen) != list(default):
            st.query_params[name] = ",".join(chosen)
        else:
            st.query_params.pop(name, None)

    return write


def arrive(page: str) -> None:
    """Note whether this script run comes from another page; the frame calls it once, before the page."""
    st.session_state["arrived"] = st.session_state.get("page") != page
    st.session_state["page"] = page


def restored_at(page: str) -> dict[str, str]:
    """Return what a link to a page says so that its arrival need not: all that this session chose there for this run.

    A choice that is written into the URL on arrival would be a second step of the browser's back button.
    """
    chosen: dict[tuple[str, str | None], str] = st.session_state.get("chosen", {})
    asked: dict[str, str] = st.session_state.get("asked", {}).get(page, {})
    along = {key: name for name, (key, pages) in GOES_ALONG.items() if page in pages}
    run = st.query_params.get("run")
    return {name: chosen[key, run] for key, name in (asked | along).items() if (key, run) in chosen}


def picked(value: T | None) -> T:
    """Return the choice of a widget that always has one: options, and ``required`` or a first one chosen."""
    return cast(T, value)


def from_url(name: str, key: str, options: list, default: object) -> Callable[[], None]:
    """Give the widget ``key`` the option that ``?name=`` asks for, else the default; call it before the widget.

    The URL decides, so a link, a reload and the browser's back button all show what they say. Whoever comes back from
    another page by a link that says nothing finds what they had chosen for this run, and the URL says it again.
    Returns the ``on_change`` callback that writes the widget's value back to the URL. Options are compared as text.
    """
    chosen: dict[tuple[str, str | None], str] = st.session_state.setdefault("chosen", {})
    page = st.session_state.get("page", "")
    st.session_state.setdefault("asked", {}).setdefault(page, {})[key] = name
    place = key, st.query_params.get("run")
    asked = st.query_params.get(name)
    if asked is None and st.session_state.get("arrived") and place in chosen and chosen[place] in map(str, options):
        asked = st.query_params[name] = chosen[place]
    st.session_state[key] = next((option for option in options if str(option) == asked), default)
    if asked is not None:
        chosen[place] = str(st.session_state[key])
    elif not st.session_state.get("arrived"):  # back at the default, by the browser's button: that is chosen now
        chosen.pop(place, None)

    def write() -> None:
        st.query_params[name] = chosen[place] = str(st.session_state[key])

    return write


def remembered(name: str, key: str) -> str | None:
    """Return what ``?name=`` asks for, else what this session chose for this run with the widget ``key``, if it did.

    Only on arrival: whoever goes back to an address that does not say it sees what that address says.
    """
    chosen: dict[tuple[str, str | None], str] = st.session_state.get("chosen", {})
    if not st.session_state.get("arrived"):
        return st.query_params.get(name)
    return st.query_params.get(name, chosen.get((key, st.query_params.get("run"))))


def forget(name: str, key: str) -> None:
    """Take a choice out of the URL and out of what is remembered."""
    st.session_state.get("chosen", {}).pop((key, st.query_params.get("run")), None)
    st.query_params.pop(name, None)


def repeated_from_url(name: str, key: str, options: list) -> Callable[[], None]:
    """Give the multiselect ``key`` the options that the repeated ``?name=`` asks for; as :func:`from_url`."""
    asked = set(st.query_params.get_all(name))
    st.session_state[key] = [option for option in options if str(option) in asked]

    def write() -> None:
        st.query_params[name] = [str(option) for option in st.session_state[key]]

    return write


def parts_from_url(name: str, key: str, parts: Sequence[str]) -> dict[str, Any]:
    """Draw tabs that are called as the parts are, in the reader's language; as :func:`from_url`, the first the default.

    Returns:
        part -> its tab; make only what is in the one that is open.
    """
    write, titles = from_url(name, key, list(parts), parts[0]), {part: _(part) for part in parts}
    st.session_state[key] = titles[st.session_state[key]]

    def changed() -> None:
        st.session_state[key] = next(part for part, title in titles.items() if title == st.session_state[key])
        write()

    return dict(zip(parts, st.tabs(list(titles.values()), key=key, on_change=changed), strict=True))


def tabs_from_url(name: str, key: str, titles: Mapping[str, str], default: str) -> dict[str, Any]:
    """Draw tabs and open the one of ``?name=``; return them by name. Make only what is in the open one.

    Args:
        titles: name in the URL -> title.
    """
    asked = st.query_params.get(name, default)
    st.session_state[key] = titles.get(asked, titles[default])

    def write() -> None:
        st.query_params[name] = next(one for one, title in titles.items() if title == st.session_state[key])

    return dict(zip(titles, st.tabs(list(titles.values()), key=key, on_change=write), strict=True))
