"""A stage is one file: what its declaration says reaches menu, sentences, cost and progress with no other edit."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import grouprec
import grouprec.models.menu
from grouprec.models import declared
from grouprec.models.base import REGISTRIES, Auto, Encoder, Grouper, encoders, groupers
from grouprec.models.declared import words_of
from grouprec.models.encoders.als import AlsEncoder
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.groupers.kmeans import KMeansGrouper
from grouprec.report import sentences
from grouprec.runs.config import RunConfig, auto_encoders, make_config, menu
from grouprec.runs.progress import make_plan
from grouprec.runs.store import RunStore
from grouprec.training import cost
from grouprec.training.selection import encoder_names
from grouprec.training.size import SAMPLE, Size
from tests.ui.train.opening import open_train

ALL = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]
# Words that are names of stages and mean other things, too
COMMON_WORDS = {"attributes", "behaviour", "lists", "rules"}
# Where a stage may be named: defaults of a run and of the command, and baselines, which have names by nature
MAY_NAME = {
    "runs/config.py": {"vae", "gan", "gru"},
    "evaluate/baselines.py": {"ease", "als", "kmeans", "item_knn"},
    "evaluate/describing.py": {"vae"},
}


@pytest.fixture
def empty_store(runs_root: Path) -> RunStore:
    return RunStore(runs_root)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> type[Encoder]:
    """Return an encoder that was registered as its own file would do it, until the test ends."""
    monkeypatch.setattr(encoders, "_classes", dict(encoders.items()))
    monkeypatch.setattr(declared, "DECLARED", DECLARED := dict(declared.DECLARED))
    monkeypatch.setattr("grouprec.models.registry.DECLARED", DECLARED)

    @encoders.register("last_shelf", title="Shelf: what stands beside", cite="Nobody 2026", called="the last shelf")
    class Shelf(AlsEncoder):
        auto = Auto(("quick",), turn=2)
        usual_seconds = 1234.0
        uses_gpu = True

        @classmethod
        def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
            return float(n_items) ** 3

        @classmethod
        def memory(cls, n_users: int, n_items: int) -> tuple[int, int]:
            return 10**9, 0

    return Shelf


def config(**choices: object) -> RunConfig:
    return make_config(interactions=Path("x.csv"), **{"preset": "quick", "device": "cpu", **choices})


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_words_read_from_the_file_are_those_that_its_import_declares(kind: str, name: str) -> None:
    stage = REGISTRIES[kind].get(name)
    assert stage.__module__ == f"grouprec.models.{kind}s.{name}", "the file bears the stage's name"
    assert declared._read(kind, name) == declared.DECLARED[kind, name]


@pytest.mark.parametrize("name", ["", "nothing", "sequences", "../encoders/ease", "init", "ease + als"])
def test_what_is_no_stage_has_no_words_and_keeps_its_name(name: str) -> None:
    assert words_of("encoder", name) is None
    assert declared.called("encoder", name) == name


def test_titles_wait_for_no_torch() -> None:
    code = "import sys; from grouprec.report.sentences import encoder_title; "
    code += "print(encoder_title('ease + graph + lstm'), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "EASE + graph network + LSTM False"


def test_a_new_encoder_is_on_the_menu_and_in_the_sentences(registered: type[Encoder]) -> None:
    assert ("last_shelf", "Shelf: what stands beside") in menu()["encoder"]
    assert sentences.encoder_title("ease + last_shelf") == "EASE + the last shelf"
    assert sentences.method_title("last_shelf", "individual") == "Personal: the last shelf"


def test_a_new_encoder_is_in_the_form(registered: type[Encoder], runs_folder: RunStore) -> None:
    app = open_train()
    assert not app.exception
    assert any("Trains and blends EASE, the last shelf, ALS" in element.value for element in app.caption)
    app.get_by_key("train_encoding").set_value("chosen").run()
    app.get_by_key("train_encoders").set_value(["last_shelf"]).run()
    assert "Shelf" in app.get_by_key("train_encoders").options
    assert app.number_input(key="train.quick.encoder.last_shelf.factors").value == 32


def test_a_new_encoder_takes_its_turn_in_the_presets_that_it_names(registered: type[Encoder]) -> None:
    assert auto_encoders("quick")[:3] == ("ease", "last_shelf", "als")
    assert "last_shelf" not in auto_encoders("standard")


def test_a_new_encoder_has_its_cost_and_its_share_of_the_progress(
    registered: type[Encoder], empty_store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = config(encoders=("last_shelf",))
    assert make_plan(chosen, empty_store)["judge: encoder last_shelf"] == 1234.0

    def seconds(size: Size) -> float:
        return cost._usual("encoder last_shelf", chosen, size)

    assert seconds(SAMPLE) == pytest.approx(1234)
    larger = replace(SAMPLE, n_items=2 * SAMPLE.n_items)
    assert seconds(larger) == pytest.approx(8 * 1234)
    monkeypatch.setattr(cost, "_device", lambda config: "cuda")
    assert seconds(SAMPLE) == pytest.approx(1234 / cost.GPU_GAIN)
    alone = cost.memory(config(encoders=("als",)), SAMPLE)
    assert cost.memory(chosen, SAMPLE) == alone + 10**9


def test_an_encoder_that_declares_nothing_more_waits_until_it_is_named(
    registered: type[Encoder], empty_store: RunStore
) -> None:
    @encoders.register("plain_one", title="Plain", cite="Nobody 2026")
    class Plain(EaseEncoder):
        auto, usual_seconds, work, memory = Encoder.auto, Encoder.usual_seconds, Encoder.work, Encoder.memory

    assert not any("plain_one" in auto_encoders(preset) for preset in ("quick", "standard", "thorough"))
    assert sentences.encoder_title("plain_one") == "plain one"
    chosen = config(encoders=("plain_one",))
    assert cost.estimate(chosen, SAMPLE, empty_store, lambda: 1.0).seconds > 0
    assert make_plan(chosen, empty_store)["encoder plain_one"] == Encoder.usual_seconds


def test_an_encoder_without_a_sibling_is_left_out_where_items_are_too_many(
    registered: type[Encoder], monkeypatch: pytest.MonkeyPatch, empty_store: RunStore
) -> None:
    monkeypatch.setattr(EaseEncoder, "auto", replace(EaseEncoder.auto, instead=""))
    few = config(settings={"ease": {"max_items": 2}})

    class Data:
        n_users, n_items, timed, train = 10, 3, True, range(20)

    assert encoder_names(few, Data)[0] == "last_shelf"  # type: ignore[arg-type]
    named = config(encoders=("ease",), settings={"ease": {"max_items": 2}})
    said = cost.estimate(named, SAMPLE, empty_store, lambda: 1.0).advice
    assert said == "EASE takes at most 2 items; choose encoders without it."


def test_a_grouper_says_itself_how_it_divides_and_what_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [name for name, cls in groupers.items() if cls.reads_attributes] == ["attributes", "rules"]
    assert not Grouper.reads_attributes and not KMeansGrouper.reads_attributes
    assert all(words_of("grouper", name).explained for name in groupers)  # type: ignore[union-attr]


def test_no_other_file_knows_stages_by_name() -> None:
    root = Path(grouprec.__file__).parent
    names = {name for _, name in ALL} - COMMON_WORDS
    found = {}
    for file in root.rglob("*.py"):
        place = file.relative_to(root).as_posix()
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        said = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        words = {word for text in said for word in (text, *text.split(" ")[1:2] * text.startswith("encoder "))}
        known = (words & names) - MAY_NAME.get(place, set())
        if known and not place.startswith("models/"):
            found[place] = known
    assert not found


def test_a_file_imports_no_stage_but_to_use_its_helpers() -> None:
    root = Path(grouprec.__file__).parent
    modules = {REGISTRIES[kind].get(name).__module__ for kind, name in ALL}
    for file in root.rglob("*.py"):
        imported = {
            node.module for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)
        }
        assert not imported & modules, file
