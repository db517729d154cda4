"""Links are made, shown once and withdrawn in the sidebar, by who may manage the run."""

from __future__ import annotations

import pytest

from grouprec.core import rights
from grouprec.runs import links
from grouprec.runs.store import Run
from grouprec.ui import people
from tests.ui.opening import open_page
from tests.ui.test_people import ANN, claims
from tests.ui.test_people import visit as visit_as


def test_a_link_is_made_shown_once_and_withdrawn(finished_run: Run) -> None:
    app = open_page("decide")
    next(button for button in app.button if button.label == "Make a link").click().run()
    (code,) = app.code
    token = code.value.rpartition("/")[2]
    assert f"/shared/{finished_run.run_id}/" in code.value
    assert links.follow(finished_run, token, links.Discretion(5))[0].count('class="view ') == 6
    assert not open_page("decide").code, "another session does not see it"
    next(button for button in app.button if button.label == "Withdraw").click().run()
    assert not app.code and not [button for button in app.button if button.label == "Withdraw"]
    with pytest.raises(links.LinkError, match="withdrawn"):
        links.follow(finished_run, token, links.Discretion(5))


def test_who_may_only_look_at_a_run_is_offered_no_links(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "_asked", [])
    rights.ask(people.current)
    rights.give(finished_run.path, ANN, shared=True)
    offered = {
        who: [b.label for b in visit_as("decide", claims(who), run=finished_run.run_id).button]
        for who in (ANN, "carl@example.com")
    }
    assert "Make a link" in offered[ANN] and "Make a link" not in offered["carl@example.com"]
