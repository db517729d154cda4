"""What leaves by a download: every one of them says of what kind it is, and numbers of few people are in none."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import grouprec.ui
from grouprec.report import small_groups
from grouprec.runs.store import RunStore
from grouprec.ui import cards
from grouprec.ui.compare import groups as compare_groups
from tests.support.planted_run import build_run
from tests.ui.opening import open_page

# What draws a download -> what is in it. A new one gets its line here:
# GROUPS  numbers of groups, or of users who have something in common: made by grouprec/report/small_groups.py
# WHOLE   numbers of all users together, or of nobody
# PEOPLE  users by their ids, which is what it is for, and which docs/privacy.md says
# CALLER  the caller's to say
GROUPS, WHOLE, PEOPLE, CALLER = "groups", "whole", "people", "caller"
DOWNLOADS = {
    "cards.download": CALLER,
    "compare/export.buttons": CALLER,
    "compare/groups._in_numbers": GROUPS,
    "compare/page.draw_table": WHOLE,
    "compare/page.take_home": WHOLE,  # its report decides for itself
    "compare/runs.headlines": WHOLE,
    "compare/runs.methods_by_run": WHOLE,
    "compare/runs.training_cost": WHOLE,
    "compare/tabs._popularity_bias": WHOLE,
    "compare/parts.numbers_table": CALLER,
    "compare/tabs.blend": WHOLE,
    "compare/beyond._cold_users": WHOLE,
    "compare/beyond._cold_items": WHOLE,
    "compare/tabs.fairness": GROUPS,
    "compare/left_behind.left_behind": GROUPS,
    "compare/beyond.repeats": WHOLE,
    "compare/tabs.stages": WHOLE,
    "compare/tabs.strategies": WHOLE,
    "compare/tabs.value_of_groups": GROUPS,
    "data/reading.draw_rejects": PEOPLE,
    "decide/approval.exports": PEOPLE,  # its report and its sheets decide for themselves
    "decide/money.draw": WHOLE,
    "decide/what_if.compared": GROUPS,
    "feedback.acceptance": PEOPLE,
    "gain_view.picture": WHOLE,
    "groups/page.selection": PEOPLE,
    "groups/portrait.members": PEOPLE,
    "recommendations/page.downloads": GROUPS,
    "recommendations/personas/lists.beside_the_safe_one": WHOLE,
    "recommendations/personas/members.member_cards": WHOLE,  # of members who are made up
    "recommendations/personas/members.their_list": WHOLE,
    "recommendations/personas/mixture.draw": WHOLE,
    "recommendations/personas/parts.download_lists": CALLER,
    "recommendations/page.sheet": CALLER,  # sheets.of_group
    "recommendations/page.show_user": PEOPLE,
    "updates/sending._standing": PEOPLE,
}
DRAWING = ("download_button", "download", "buttons", "download_lists", "_table", "numbers_table")


def functions() -> dict[str, ast.FunctionDef]:
    """Return the functions of pages that call what draws a download, by file and name."""
    root, found = Path(grouprec.ui.__file__).parent, {}
    for file in sorted(root.rglob("*.py")):
        source = file.read_text()
        if not any(word in source for word in ("download", "export import buttons", "numbers_table")):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                called = (ast.unparse(one.func) for one in ast.walk(node) if isinstance(one, ast.Call))
                names = {name.rpartition(".")[2] for name in called if name.rpartition(".")[0] != "downloads"}
                if names & set(DRAWING):
                    found[f"{file.relative_to(root).with_suffix('').as_posix()}.{node.name}"] = node
    return found


def test_every_download_says_what_kind_it_is_and_numbers_of_groups_come_from_one_place() -> None:
    found = functions()
    assert set(found) == set(DOWNLOADS)
    for name, kind in DOWNLOADS.items():
        assert (kind == GROUPS) == ("small_groups." in ast.unparse(found[name])), name


def test_every_download_is_made_for_who_saw_its_button() -> None:
    root = Path(grouprec.ui.__file__).parent
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "st.download_button":
                data = next((one.value for one in node.keywords if one.arg == "data"), node.args[1:2])
                made = data[0] if isinstance(data, list) else data
                assert isinstance(made, ast.Call) and ast.unparse(made.func) == "state.later", (file, node.lineno)


@pytest.fixture
def given(runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch) -> dict[str, pd.DataFrame]:
    """A run of groups of 3, 4 and 5, and what its pages give away, by the name of the file."""
    run = build_run(runs_folder, n_users=12)
    sizes = [3, 4, 5]
    run.save_table("groups", run.table("groups").assign(size=sizes, share=[size / 12 for size in sizes]))
    served = run.table("group_evaluation")
    run.save_table("group_evaluation", served.assign(n_test_users=served["group"].map({1: 3, 2: 4, 3: 5})))
    methods = run.table("group_methods")
    run.save_table("group_methods", methods.assign(n_test_users=methods["group"].map({1: 3, 2: 4, 3: 5})))
    run.write_manifest()
    files: dict[str, pd.DataFrame] = {}

    def download(label: str, frame: Callable[[], pd.DataFrame], file_name: str, *_: object) -> None:
        files[file_name] = frame()

    monkeypatch.setattr(cards, "download", download)
    monkeypatch.setattr(compare_groups, "buttons", lambda frame, name, *_: files.update({f"{name}.csv": frame}))
    return files


def test_no_download_tells_numbers_of_groups_of_few(given: dict[str, pd.DataFrame]) -> None:
    open_page("recommendations", group="1")
    lists = given["group_lists.csv"].set_index("group")
    for group, told in ((1, False), (2, False), (3, True)):
        assert lists.loc[group, ["reach", "owned"]].notna().all(axis=None) == told
        assert lists.loc[group, ["item", "rank"]].notna().all(axis=None), "the list itself is the product"
    assert given["group_1_lists.csv"]["owned"].isna().all()
    open_page("compare", view="analyst", part="Left behind")
    left = given["left_behind.csv"].set_index("group")
    assert left.loc[[1, 2]].drop(columns="name").isna().all(axis=None) and left.loc[3, "n_test_users"] == 5
    open_page("compare", view="analyst", part="By group")
    numbers = given["groups.csv"].set_index("No.").drop(columns="Group")
    assert numbers.loc[[1, 2]].isna().all(axis=None) and numbers.loc[3].notna().all()


def test_of_two_groups_the_small_one_is_not_told_by_the_large_one() -> None:
    value = pd.DataFrame({"n_groups": [1, 2, 3, 3], "smallest": [50, 2, 2, 9], "largest": [50, 48, 40, 30]})
    safe = small_groups.of_sizes(value)
    assert safe["smallest"].isna().tolist() == [False, True, True, False]
    assert safe["largest"].isna().tolist() == [False, True, False, False]
    assert small_groups.of_sizes(value.drop(columns=["smallest", "largest"])).shape == (4, 1), "of the oldest runs"


def test_a_value_that_few_people_have_goes_with_the_next_rarest_of_its_attribute() -> None:
    rows = [("town", "Rome", 40), ("town", "Oslo", 9), ("town", "Bern", 2), ("age", "old", 30), ("age", "young", 21)]
    table = pd.DataFrame(rows, columns=["attribute", "value", "n_users"])
    safe = small_groups.of_values(table, ["attribute"], "n_users")
    assert safe["value"].tolist() == ["Rome", "old", "young"]
