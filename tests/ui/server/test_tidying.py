"""Caches end when everybody has left, and when the server has grown too large."""

from __future__ import annotations

import functools
import gc
import inspect
import weakref
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

import grouprec.explore.remake  # noqa: F401  - whose function is replaced
from grouprec.ui.server.tidying import IDLE_LOOKS, USED, Rubbish, Tidying, empty_caches, end_sessions


def test_caches_are_emptied_once_after_everybody_has_left_for_a_while() -> None:
    tidying = Tidying(100.0)
    assert not any(tidying.due(0, 0.0) for _ in range(2 * IDLE_LOOKS)), "nobody has been here yet"
    assert not tidying.due(2, 0.0)
    assert [bool(tidying.due(0, 0.0)) for _ in range(IDLE_LOOKS)] == [False] * (IDLE_LOOKS - 1) + [True]
    assert not any(tidying.due(0, 0.0) for _ in range(2 * IDLE_LOOKS))
    assert not tidying.due(1, 0.0)
    assert not any(tidying.due(n % 2, 0.0) for n in range(2 * IDLE_LOOKS)), "a reload is no leave"


def test_caches_are_emptied_while_people_are_here_where_they_are_too_large() -> None:
    tidying = Tidying(100.0)
    assert not tidying.due(3, 99.0)
    assert "too large" in tidying.due(3, 101.0)


def test_rubbish_is_looked_for_where_the_server_has_worked() -> None:
    rubbish = Rubbish()
    assert [rubbish.due(n) for n in (USED - 1, USED, USED + 1, 2 * USED - 1, 2 * USED)] == [0, 1, 0, 0, 1]


def test_what_was_kept_is_made_again_afterwards() -> None:
    calls: list[int] = []

    @st.cache_resource
    def made() -> int:
        calls.append(1)
        return len(calls)

    assert (made(), made()) == (1, 1)
    empty_caches()
    assert made() == 2


def test_sessions_whose_tab_is_closed_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "self._session_storage = session_storage" in inspect.getsource(WebsocketSessionManager)
    storage = MemorySessionStorage(ttl_seconds=0)

    class Session:
        id, _scriptrunner, ended = "a", None, False

        def shutdown(self) -> None:
            self.ended = True

    class Model: ...

    class Info: ...

    info, session, model = Info(), Session(), Model()
    info.session, session._session_state = session, SimpleNamespace(of_a_widget=model)  # type: ignore[attr-defined]
    held = weakref.ref(model)
    del model
    kept = weakref.ref(info)
    storage.save(info)  # type: ignore[arg-type]
    del info
    assert kept() is not None
    manager = SimpleNamespace(_session_mgr=SimpleNamespace(_session_storage=storage))
    monkeypatch.setattr("streamlit.runtime.exists", lambda: True)
    monkeypatch.setattr("streamlit.runtime.get_instance", lambda: manager)
    source = inspect.getsource(AppSession)
    assert all(name in source for name in ("def shutdown", "self._session_state", "self._scriptrunner"))
    end_sessions()
    assert kept() is None and session.ended
    assert held() is None, "Streamlit may hold the session itself for long"


def test_results_that_functions_keep_end_with_the_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    @functools.lru_cache(4)
    def counted(model: object) -> int:
        return 1

    class Model: ...

    monkeypatch.setattr("grouprec.explore.remake._wanted", counted)
    model = Model()
    kept = weakref.ref(model)
    counted(model)
    del model
    gc.collect()
    assert kept() is not None
    empty_caches()
    assert kept() is None
