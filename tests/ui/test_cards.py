"""What pages share in how they say things."""

from __future__ import annotations

import pytest

from grouprec.report.tested import rests_on
from grouprec.runs.store import RunStore
from tests.support.planted_groups import add_what_if
from tests.support.planted_run import add_judgement, build_run
from tests.support.virtual_groups import use_virtual_groups
from tests.ui.opening import open_page, texts


@pytest.mark.parametrize("page", ["decide", "compare", "recommendations"])
def test_beside_every_headline_stands_on_how_many_users_it_rests(
    page: str, runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = add_judgement(add_what_if(build_run(runs_folder)))
    use_virtual_groups(run, monkeypatch)
    assert rests_on(run.metrics()) == "Tested on 45 users; settings chosen by 52."
    note = next(caption for caption in open_page(page).caption if "Tested on" in caption.value)
    assert note.value.endswith("Tested on 45 users.") and note.help == rests_on(run.metrics())


def test_a_run_of_old_that_does_not_know_opens_without(runs_folder: RunStore) -> None:
    run = build_run(runs_folder)
    run.save_metrics({name: value for name, value in run.metrics().items() if name not in ("n_test_users", "split")})
    assert "Tested on" not in texts(open_page("compare"))
