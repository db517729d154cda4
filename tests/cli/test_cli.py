"""The command line as scripts use it: exit status, one clear sentence, JSON, the exported files."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

from grouprec.cli import listing
from grouprec.cli.main import PEOPLE, RESULTS, RUNS, START, app, main
from grouprec.data.synthetic import planted
from grouprec.runs.store import Run, RunStore
from tests.support.commands import call
from tests.support.forked import command, fork, needs_fork
from tests.support.planted_run import build_run
from tests.support.small_run import TINY, TINY_ENCODERS, write_csv


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out.strip().splitlines()[-1])


@pytest.fixture
def grouprec(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Run a command in this process and return what a shell would see."""

    def call(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["grouprec", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfd.readouterr()
        return Answer(int(stop.value.code or 0), out, err)

    return call


def refused(answer: Answer, *words: str) -> None:
    """Check for exit 2 and one sentence that has the words, without a traceback."""
    sentence = " ".join(answer.err.split())
    assert answer.status == 2, answer
    assert "Traceback" not in answer.err
    for word in words:
        assert word.lower() in sentence.lower(), sentence


Trained = tuple[Path, dict[str, Any], str]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One run by the command, with refit, times, and users too rare for training: where, its JSON, and its progress."""
    root = tmp_path_factory.mktemp("cli")
    data = planted(n_users=80, n_items=60, events_per_user=20).data
    file = write_csv(data, root / "shop.csv")
    with file.open("a") as out:
        out.write('00123,i00003,1,1970-01-02 10:00:00,Item 3,region 0\n"Ünï ""q"" 😀",i00005,1,1970-01-03,Item 5,\n')
        out.write("=1+1,i00004,1,1970-01-03,Item 4,\n")
    words = ["train", file, "--preset", "quick", "--n-groups", "4", "--refit", "--runs", root / "runs", "--json"]
    done = call(*words, "--device", "cpu", "--set", "data.min_user_items=2", *TINY)
    assert done.status == 0, done.err
    return root, json.loads(done.out.strip().splitlines()[-1]), done.err


def test_train_reports_run_status_seconds_and_metrics(trained: Trained) -> None:
    _, result, _ = trained
    assert result["status"] == "done"
    assert result["seconds"] > 0
    assert result["metrics"]["n_groups"] == 4
    assert set(result["metrics"]["encoder"].split(" + ")) <= set(TINY_ENCODERS)
    assert set(result["metrics"]["encoders"]) == set(TINY_ENCODERS)


def test_lists_that_do_not_know_what_the_run_was_judged_on_say_so(finished_run: Run, grouprec, tmp_path: Path) -> None:
    finished_run.save_metrics(finished_run.metrics() | {"refit": False, "split": {"kind": "time", "test": 7000}})
    finished_run.write_manifest()
    answer = grouprec("export", finished_run.run_id, "--out", tmp_path / "out", "--runs", finished_run.path.parent)
    assert answer.status == 0 and "Not yet in these lists: the 7,000 rows" in answer.err


def test_export_writes_the_four_files_of_the_contract(trained: Trained, grouprec, tmp_path: Path) -> None:
    root, result, _ = trained
    answer = grouprec("export", result["run_id"], "--out", tmp_path / "out", "--runs", root / "runs", "--json")
    assert answer.status == 0, answer.err
    read = {p.name: pd.read_csv(p, dtype={"user": str, "item": str}) for p in (tmp_path / "out").iterdir()}
    told = json.loads(answer.out.splitlines()[-1])
    assert told["list_method"] == {"strict": "members_mean", "dedup": "members_mean"}
    assert "Lists made by strict: members_mean; dedup: members_mean" in answer.err
    assert "Not yet in these lists" not in answer.err  # it was refitted
    assert {name: list(frame.columns) for name, frame in read.items()} == {
        "members.csv": ["user", "group", "weight"],
        "group_lists.csv": ["group", "rank", "item", "score"],
        "group_rankings.csv": ["group", "rank", "item", "score"],
        "user_lists.csv": ["user", "rank", "item", "score"],
    }
    members = read["members.csv"]
    assert members["user"].is_unique
    assert {"00123", 'Ünï "q" 😀'} <= set(members["user"]), "users too rare for training get a group, ids unchanged"
    assert len(members) == 83
    assert set(members["group"]) <= set(read["group_lists.csv"]["group"])
    lists = read["group_lists.csv"]
    assert (lists.groupby("group")["rank"].max() == 50).all()
    assert not lists.duplicated(["group", "item"]).any()
    ranks = read["group_rankings.csv"].groupby("group")["rank"].apply(list)
    assert all(list(range(1, len(rank) + 1)) == rank for rank in ranks)
    history = pd.read_csv(root / "shop.csv", dtype=str).groupby("user_id")["item_id"].agg(set)
    personal = read["user_lists.csv"]
    for user, part in personal.groupby("user"):
        assert not set(part["item"]) & history[user], "a personal list after the refit holds new items only"


def test_ids_that_would_run_in_a_spreadsheet_stay_exact_and_are_named_or_are_text_where_asked(
    trained: Trained, grouprec, tmp_path: Path
) -> None:
    root, result, _ = trained
    command = ("export", result["run_id"], "--runs", root / "runs", "--out")
    exact, safe = grouprec(*command, tmp_path / "exact"), grouprec(*command, tmp_path / "safe", "--excel")
    assert (
        "would run as formulas in a spreadsheet: 1," in " ".join(exact.err.split())
        and "'=1+1'" in exact.err
        and "formulas" not in safe.err
    )
    for name in ("members.csv", "user_lists.csv"):
        users = {folder: set(pd.read_csv(tmp_path / folder / name, dtype=str)["user"]) for folder in ("exact", "safe")}
        assert users["exact"] ^ users["safe"] == {"=1+1", "'=1+1"} and "=1+1" in users["exact"]


def test_list_show_and_compare_agree_with_the_run(trained: Trained, grouprec) -> None:
    root, result, _ = trained
    folder = ("--runs", root / "runs", "--json")
    assert [run["run_id"] for run in grouprec("list", *folder).json["runs"]] == [result["run_id"]]
    assert grouprec("show", "last", *folder).json["metrics"]["n_groups"] == 4
    rows = grouprec("compare", "last", *folder).json["rows"]
    assert {"run_id", "method", "metric", "value", "low", "high"} == set(rows[0])
    methods = {row["method"] for row in rows}
    assert {"popularity/strict", "generated/strict", "generated/dedup", "item_knn/individual"} <= methods
    bounded = [row for row in rows if row["low"] is not None]
    assert bounded
    assert all(row["low"] - 1e-6 <= row["value"] <= row["high"] + 1e-6 for row in bounded)
    assert "generated" in grouprec("show", "last", "--runs", root / "runs").out


def test_the_split_its_reason_and_its_users_are_told_once_while_training_and_when_shown(
    trained: Trained, grouprec
) -> None:
    root, result, told = trained
    split = result["metrics"]["split"]
    assert split["kind"] == "time"
    assert split["judge_users"] == result["metrics"]["n_test_users"] and 0 < split["choose_users"] <= 80
    assert split["reason"].startswith("Split at two moments for everybody: nothing later than what is judged trains")
    said = (
        f"{split['reason']} Users to choose settings by: {split['choose_users']}, to judge by: {split['judge_users']}."
    )
    assert told.count(" ".join(said.split())) == 1, "the refit holds nothing out: no word"
    shown = grouprec("show", "last", "--runs", root / "runs")
    assert " ".join(said.split()) in " ".join(shown.out.split())


def test_a_run_of_old_is_shown_without_what_it_does_not_know(runs_root: Path, grouprec) -> None:
    run = build_run(RunStore(runs_root))
    split = {"kind": "time", "train": 800, "validation": 100, "test": 100}
    run.save_metrics(run.metrics() | {"split": split})
    shown = grouprec("show", "last")
    assert shown.status == 0 and "Users to choose" not in shown.out


def test_report_writes_one_file_of_the_run(trained: Trained, grouprec, tmp_path: Path) -> None:
    root, result, _ = trained
    out = tmp_path / "new" / "story.html"
    answer = grouprec("report", "last", "--out", out, "--runs", root / "runs", "--json")
    assert answer.status == 0
    assert answer.json == {"run_id": result["run_id"], "file": str(out), "bytes": out.stat().st_size}
    document = out.read_text(encoding="utf-8")
    assert document.startswith("<!doctype html>") and result["run_id"] in document
    assert "story.html" in answer.err
    refused(grouprec("report", "nothing", "--out", out, "--runs", root / "runs"), "no run called 'nothing'")
    refused(
        grouprec("report", "last", "--out", "", "--runs", root / "runs"), "Say which file to write: --out FILE.html"
    )
    refused(grouprec("report", "last", "--out", tmp_path, "--runs", root / "runs"), "Cannot write")


def test_value_prints_what_every_number_of_groups_is_worth(trained: Trained, grouprec) -> None:
    root, _, _ = trained
    rows = grouprec("value", "last", "--runs", root / "runs", "--json").json["rows"]
    names = "n_groups method regime metric value low high floor floor_method individual oracle share_of_gain"
    assert all(list(row) == names.split() for row in rows)
    assert {1, 2, 4} <= {row["n_groups"] for row in rows}
    usual = {"kmeans_popularity", "kmeans_recent", "kmeans_mean_ease", "kmeans_mean_simple"}
    assert {row["method"] for row in rows} == {"members_mean", *usual}
    assert {row["floor_method"] for row in rows} <= {"popularity", "recent_popularity", "one_group"}
    assert {row["metric"] for row in rows} == {"ndcg@10", "precision@10", "hit_rate@10"}
    for row in rows:
        assert row["low"] <= row["value"] <= row["high"]
        assert (row["oracle"] is None) == (row["regime"] == "dedup")
    out = grouprec("value", "last", "--runs", root / "runs").out
    assert out.splitlines()[0].split()[:5] == ["n_groups", "method", "regime", "value", "low"]
    assert {"floor", "individual", "oracle", "share_of_gain", "smallest", "largest", "stability"} <= set(out.split())
    assert "kmeans_popularity" in out and "nan" not in out


def test_a_second_run_with_other_groups_reads_the_encoders_back(trained: Trained, grouprec) -> None:
    root, _, _ = trained
    words = ["train", root / "shop.csv", "--preset", "quick", "--n-groups", 3, "--runs", root / "runs", "--no-refit"]
    answer = grouprec(*words, "--device", "cpu", "--layout", "pca", "--set", "data.min_user_items=2", *TINY)
    assert answer.status == 0, answer.err
    log = (max((root / "runs").iterdir()) / "log.txt").read_text()
    for encoder in TINY_ENCODERS:
        assert f"encoder {encoder}: read back" in log
    assert "groups: read back" not in log


BAD = {
    "empty": (b"", "empty"),
    "header only": (b"user_id,item_id\n", "row"),
    "binary": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "csv"),
    "no item column": (b"user_id,price_paid\na,1\nb,2\n", "--map"),
    "one column": (b"user_id~item_id\na~b\nc~d\n", ""),
    "doubled columns, all dropped": (b"user_id,item_id,item_id\na,x,y\nb,x,y\n", "dropped"),
    "one user": (b"user_id,item_id\na,x\na,y\na,z\n", "user"),
    "one item": (b"user_id,item_id\na,x\nb,x\nc,x\n", "item"),
    "all dropped": (b"user_id,item_id,quantity\na,x,-1\nb,y,-2\nc,z,0\n", "dropped"),
    "unparsable times": (b"user_id,item_id,timestamp\n" + b"a,x,soon\nb,y,later\nc,z,never\n" * 9, "time"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_one_sentence(name: str, grouprec, tmp_path: Path, runs_root: Path) -> None:
    content, word = BAD[name]
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    refused(grouprec("train", file, "--preset", "quick"), word)
    assert not list(runs_root.glob("*/manifest.json"))


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--n-groups", "9999"], "9999 groups were asked for"),
        (["--encoder", "nope"], "no encoder called 'nope'"),
        (["--encoder", "dnn", "--set", "dnn.nope=1"], "no setting 'dnn.nope'"),
        (["--encoder", "dnn", "--set", "dnn.epochs=-1"], "dnn.epochs"),
        (["--encoder", "ease", "--set", "dnn.epochs=1"], "No stage called 'dnn' is part of this run"),
        (["--regime", "loose"], "regime"),
        (["--search-minutes", "-1"], "search_minutes"),
        (["--set", "rules.strategy=nope"], "no strategy called 'nope'"),
        (["--set", "rules.items=nothing like it"], "'nothing like it'"),
        (["--map", "user=nope"], "nope"),
        (["--map", "colour=item_id"], "colour"),
        (["--device", "abacus"], "device"),
        (["--preset", "fast"], "preset"),
        (["--items", "missing.csv"], "missing.csv"),
        (["--nope"], "--nope"),
    ],
)
def test_wrong_options_are_refused_with_one_sentence(words: list, sentence: str, grouprec, planted_csv: Path) -> None:
    refused(grouprec("train", planted_csv, "--preset", "quick", *words), sentence)


def test_a_missing_file_and_a_missing_run_are_refused(grouprec, tmp_path: Path) -> None:
    refused(grouprec("train", tmp_path / "nothing.csv"), "nothing.csv")
    refused(grouprec("show", "nothing"), "no run called 'nothing'")
    refused(grouprec("export", "last", "--out", tmp_path), "no finished run")


def test_an_unwritable_runs_folder_is_refused(grouprec, planted_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    refused(grouprec("train", planted_csv, "--runs", tmp_path / "taken"), "Cannot write", "--runs")


def on_a_small_disk(told: Path, *words: object) -> None:
    """Run a command where no file can be longer than 20,000 bytes: the first stage's weights do not fit."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    command(told, *words)


@needs_fork
def test_a_full_disk_while_writing_leaves_no_finished_run(planted_csv: Path, runs_root: Path, tmp_path: Path) -> None:
    words = ["train", planted_csv, "--preset", "quick", "--n-groups", "3", "--device", "cpu", "--layout", "pca"]
    words += ["--encoder=dnn", "--set=dnn.embedding_size=64", "--set=dnn.epochs=1"]
    child = fork(on_a_small_disk, tmp_path / "told", *words)
    child.join(120)
    assert child.exitcode == 2 and "Cannot write" in (tmp_path / "told").read_text()
    assert list(runs_root.glob("*/config.json")) and not list(runs_root.glob("*/manifest.json"))


def test_ten_million_rows_of_garbage_are_refused_at_once(grouprec, tmp_path: Path) -> None:
    file = tmp_path / "garbage.csv.gz"
    with gzip.open(file, "wb", compresslevel=1) as out:
        for _ in range(100):
            out.write(b"lorem ipsum dolor sit amet\n" * 100_000)
    refused(grouprec("train", file), "garbage.csv.gz")


def test_every_command_stands_under_a_heading_and_the_first_ones_come_first() -> None:
    commands = list(typer.main.get_command(app).commands.values())
    headings = list(dict.fromkeys(command.rich_help_panel for command in commands))
    assert headings == [START, RESULTS, RUNS, PEOPLE]


HEAVY = ("numpy", "scipy", "pandas", "pyarrow", "sklearn", "torch", "streamlit")


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["--help"], set()),
        (["list"], set()),
        (["show", "last"], {"numpy", "pandas", "pyarrow"}),  # its tables; no scipy
    ],
)
def test_small_commands_load_no_heavy_library(words: list[str], needed: set[str], finished_run) -> None:
    code = "import sys; from grouprec.cli.main import main\ntry:\n    main()\n"
    code += "except SystemExit as end:\n    assert not end.code"
    code += f"\nprint('loaded', *[name for name in {HEAVY} if name in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "GROUPREC_RUNS": str(finished_run.path.parent)},
    )
    loaded = set(answer.stdout.strip().splitlines()[-1].split()[1:])
    assert loaded <= needed


@pytest.mark.parametrize(
    "words", [("check", "caf\udce9.csv"), ("list", "--runs", "d\udce9"), ("train", "f.csv", "--users=\udcff")]
)
def test_a_name_that_is_no_text_is_refused_in_a_sentence(grouprec, words: tuple[str, ...]) -> None:
    refused(grouprec(*words), "is no text in this system's encoding", "rename")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, EOFError])
def test_what_is_interrupted_is_cancelled_and_no_success(
    stop: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: object) -> None:
        raise stop

    monkeypatch.setattr(listing, "print_runs", interrupted)
    answer = call("list")
    assert (answer.status, answer.out, answer.err) == (130, "", "Cancelled.")
