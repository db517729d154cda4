"""A run on pseudonyms holds no id, answers events by id, and forgets by id."""

from __future__ import annotations

from pathlib import Path

import pytest

from grouprec.core.types import SettingError
from grouprec.data.preparing import pseudonyms
from grouprec.live.stream import Stream
from grouprec.runs.store import RunStore
from tests.support.commands import call
from tests.support.small_run import TINY_SETTINGS, small_data, write_csv

WHO = "hélène.q@example.org"


def test_no_file_of_a_run_holds_an_id_where_pseudonyms_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, store = small_data(), RunStore(tmp_path / "runs")
    data.user_ids[7] = WHO
    data.user_ids[:7] = [f"customer-{n}" for n in range(7)]
    file = write_csv(data, tmp_path / "shop.csv")
    settings = [f"--set={setting}" for setting in TINY_SETTINGS if not setting.startswith("dnn")]
    words = ("--preset=quick", "--n-groups=3", "--layout=pca", "--encoder=ease", "--pseudonyms", *settings)
    refused = call("train", file, *words, "--runs", store.root)
    assert refused.refused and pseudonyms.KEY in refused.err and not store.runs()

    monkeypatch.setenv(pseudonyms.KEY, "a secret of the tests, not of yours")
    assert call("train", file, *words, "--runs", store.root).status == 0
    run = store.runs()[0]
    told = pseudonyms.pseudonym(WHO)
    assert call("pseudonym", WHO).out == f"{told}\n"
    with Stream.open(store, run) as stream:
        row = stream.state.user_row(told)
        assert row is not None and stream.apply([{"user": WHO, "item": "i00001"}]).applied == 1
        assert len(stream.state.user_ids) == len(stream.base.user_ids)
        monkeypatch.setenv(pseudonyms.KEY, "another secret of the tests")
        with pytest.raises(SettingError, match="not the key"):
            stream.apply([{"user": WHO, "item": "i00002"}])
    monkeypatch.setenv(pseudonyms.KEY, "a secret of the tests, not of yours")
    ids = [WHO.encode(), b"customer-", b"u00012"]
    files = [path for path in store.root.rglob("*") if path.is_file()]
    assert [path.name for path in files if any(name in path.read_bytes() for name in ids)] == []
    answer = call("forget", WHO, "--runs", store.root)
    assert run.run_id in answer.err and f"{file} still holds them" in answer.err
    assert told not in run.table("users")["user"].tolist()
