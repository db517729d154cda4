"""What pages import is there before somebody waits for it, and nobody waits while it is loaded."""

from __future__ import annotations

import asyncio
import gc
from types import SimpleNamespace

import pytest

from grouprec.core.site import app_root
from grouprec.ui.server import health, loading


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the modules that are loaded from now on; nothing is."""
    names: list[str] = []
    monkeypatch.setattr(loading, "importlib", SimpleNamespace(import_module=names.append))
    monkeypatch.setattr(loading, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(loading, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(loading, "_asked_at", float("-inf"))
    monkeypatch.setattr(gc, "freeze", lambda: None)
    return names


def test_every_page_is_loaded_and_no_script_is_run() -> None:
    names = loading.modules()
    assert {f"grouprec.ui.{page.stem}.page" for page in (app_root() / "pages").glob("*.py")} <= set(names)
    assert "grouprec.ui.frame" not in names and not any(name.endswith("__main__") for name in names)


def test_nothing_is_loaded_while_a_page_is_made(asked: list[str]) -> None:
    async def server() -> None:
        with health.page_seconds("groups"):
            async with loading.loaded():
                for _ in range(20):
                    await asyncio.sleep(0)
                assert health.pages_in_the_making() == 1 and asked == []

    asyncio.run(server())


def test_what_cannot_be_loaded_keeps_nothing_else_from_it(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> None:
        asked.append(name)
        if name == loading.LIBRARIES[0]:
            raise ImportError(name)

    monkeypatch.setattr(loading, "importlib", SimpleNamespace(import_module=load))
    asyncio.run(loading._load())
    assert asked == [*loading.LIBRARIES, *loading.modules()]


def test_what_a_page_needs_is_loaded_when_its_address_is_asked_for(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "sys", SimpleNamespace(modules={"grouprec.ui.updates.page": None}))
    loading._load_page("updates")
    assert asked == [f"grouprec.ui.updates{name}" for name in ("", ".charts", ".replay", ".sending")]
    loading._load_page("../data")
    assert len(asked) == 4


def test_nothing_else_is_loaded_soon_after_a_page_was_asked_for(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_load_page", lambda page: None)
    loading.soon("data")

    async def server() -> None:
        async with loading.loaded():
            for _ in range(20):
                await asyncio.sleep(0)
            assert asked == []

    asyncio.run(server())
