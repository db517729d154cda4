"""The schemas of a run's tables: what training writes satisfies them, and what does not is refused."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import grouprec
from grouprec.core.files import storage
from grouprec.runs.schemas import TABLES, Column, SchemaError, Table, named
from grouprec.runs.store import Run, RunStore
from tests.support.planted_run import build_older_run, build_run
from tests.support.schemas import check_tables, missing_tables, tables_of

KINDS = {
    "str": ["a", "b"],
    "bool": [True, False],
    "int64": [1, 2],
    "Int64": pd.array([1, None], dtype="Int64"),
    "float64": [0.5, np.nan],
    "datetime64[us]": pd.to_datetime(["2025-01-01", "2025-02-01"]),
}
TABLE = Table("things", "A thing.", tuple(Column(name, name, "said") for name in KINDS))
GOOD = pd.DataFrame(KINDS)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "run").mkdir()
    return Run(tmp_path / "run")


# -- what training writes


def test_every_table_of_a_trained_run_is_what_its_schema_says(small_run: Run, unlike_run: Run) -> None:
    for run in (small_run, unlike_run):
        check_tables(run)
        assert not missing_tables(run)
        for name in tables_of(run):
            assert run.table(name).columns[: len(TABLES[name].names)].tolist() == TABLES[name].names, "in this order"
        assert not run.damaged()


def test_no_schema_is_of_a_table_that_nothing_writes(small_run: Run, unlike_run: Run) -> None:
    assert set(TABLES) == tables_of(small_run) | tables_of(unlike_run)


def test_tables_that_are_read_by_name_have_a_schema() -> None:
    readers = {"table", "trained_table", "table_or_none"}
    for path in Path(grouprec.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in readers and call.args:
                name = call.args[-1]
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    assert name.value in TABLES, f"{path.name}:{call.lineno}"


def test_every_column_is_said_once_in_its_table_and_has_a_known_type_and_a_meaning() -> None:
    for table in TABLES.values():
        assert len(set(table.names)) == len(table.names), table.name
        for column in (*table.columns, *([table.more] if table.more else [])):
            assert column.meaning and not column.meaning.endswith("."), (table.name, column.name)
            assert column.dtype in {*KINDS, "", "int16", "int32", "float32"}, (table.name, column.name)


def test_planted_runs_are_whole_or_lack_what_older_ones_may_lack(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    whole, older = build_run(store), build_older_run(store)
    check_tables(whole)
    assert not missing_tables(whole)
    assert tables_of(older) == {name for name, table in TABLES.items() if not table.later}
    for name in tables_of(older):
        columns = [column.name for column in TABLES[name].columns if not column.later]
        assert (
            set(columns)
            <= set(older.table(name).columns)
            == set(columns) | set(TABLES[name].more_names(older.table(name)))
        )


# -- what is refused


@given(st.sampled_from(sorted(KINDS)), st.sampled_from(sorted(KINDS)))
def test_a_column_of_another_kind_is_refused(column: str, kind: str) -> None:
    frame = GOOD.assign(**{column: KINDS[kind]})
    if column == kind or (column, kind) == ("Int64", "int64"):
        assert TABLE.checked(frame).dtypes.equals(GOOD.dtypes)
    else:
        with pytest.raises(SchemaError, match=rf"Column '{column.split('[')[0]}.* of table 'things' is "):
            TABLE.checked(frame)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (GOOD.drop(columns=["str", "bool"]), "'things' lacks 'str', 'bool'"),
        (GOOD.assign(more=1), "'things' has 'more'"),
        (GOOD.rename(columns={"str": "text"}), "'things' lacks 'str'"),
        (pd.concat([GOOD, GOOD[["str"]]], axis=1), "'things' has 'str' twice"),
        (GOOD.assign(str=pd.Categorical(["a", "b"])), "Column 'str' of table 'things' is category"),
    ],
)
def test_missing_unknown_and_doubled_columns_are_named(frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        TABLE.checked(frame)


def test_a_table_without_schema_cannot_be_saved(run: Run) -> None:
    with pytest.raises(SchemaError, match="No table 'wishes'"):
        run.save_table("wishes", GOOD)
    with pytest.raises(SchemaError, match="'groups' lacks 'words'"):
        run.save_table("groups", pd.DataFrame(columns=named("groups").names[:-1]))
    assert not (run.path / "tables").exists()


def test_numbers_get_the_width_that_is_promised_and_right_ones_stay_the_same_frame(run: Run) -> None:
    wide = pd.DataFrame({"user": ["a"], "rank": [1], "item": ["x"], "label": ["X"], "score": [0.5]})
    run.save_table("user_lists", wide)
    saved = run.table("user_lists")
    assert saved["score"].dtype == np.float32
    assert named("user_lists").checked(saved) is saved
    assert wide["score"].dtype == np.float64, "the caller's frame is not changed"


def test_a_table_without_rows_has_no_types_to_speak_of(run: Run) -> None:
    run.save_table("comparisons", pd.DataFrame(columns=named("comparisons").names))
    assert run.table("comparisons").empty


def test_what_an_older_run_lacks_can_still_be_read(run: Run) -> None:
    path = run.path / "tables" / "group_items.parquet"
    with storage(path):
        path.parent.mkdir()
        pd.DataFrame({"group": [1], "lift": [2.0]}).to_parquet(path)
    assert run.table("group_items").columns.tolist() == ["group", "lift"]


# -- attributes beside our columns


@given(st.lists(st.text("ab_groupxz", min_size=1, max_size=8) | st.sampled_from(["x", "group", "group_"]), unique=True))
def test_attributes_keep_their_names_whatever_these_are(names: list[str]) -> None:
    users = named("users")
    own = pd.DataFrame({name: [0] for name in users.names})
    beside = pd.concat([own, users.marked(pd.DataFrame([range(len(names))], columns=names))], axis=1)
    assert beside.columns.is_unique
    assert users.attributes(beside).columns.tolist() == names
    assert users.attributes(beside).iloc[0].tolist() == list(range(len(names)))


def test_an_attribute_named_as_ours_is_marked() -> None:
    marked = named("items").marked(pd.DataFrame({"label": [1], "label_": [1], "labels": [1], "price": [1]}))
    assert marked.columns.tolist() == ["label_", "label__", "labels", "price"]


def test_the_small_run_is_found_again_by_whoever_asks_next(small_run: Run) -> None:
    assert [run.run_id for run in RunStore(small_run.path.parent).runs()] == [small_run.run_id]
