"""The parts of a report that say how the run was made, and what its numbers do not say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import pandas as pd

from grouprec.data.hold_out import split_words
from grouprec.models.declared import called, words_of
from grouprec.report import findings, sentences
from grouprec.report.html import sections
from grouprec.report.html.markup import Html, element, joined, paragraph, sentence, table
from grouprec.report.html.reading import Reading
from grouprec.report.text import count, number, percent, plain, plural

FILES = ("interactions", "users", "items")  # settings that are paths: only the file's name is anybody's business
SPLITS = {"time": "the latest interactions of all", "user_time": "the latest interactions of every user"}
FEW_TESTED = 200
OVERLAP = 0.1  # below this mean silhouette groups are parts of a continuum


def method(reading: Reading) -> Html:
    """Return how the run was made: in plain words, then the counts and settings."""
    steps = element("ol", *(element("li", sentence(step)) for step in _steps(reading)))
    return joined(paragraph(_cost(reading)), steps, _preparation(reading), _settings(reading))


def _cost(reading: Reading) -> str:
    metrics = reading.metrics
    seconds = metrics.get("seconds")
    took = f"in {_duration(seconds)} " if seconds else ""
    device = metrics.get("device_title", "")
    return f"This run was trained {took}on {plain(device or 'this machine')}, with the preset " + (
        f"*{plain(metrics.get('preset', ''))}* and the seed {reading.config.get('seed', 0)}."
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return plural(rest, "second") if not minutes else f"{plural(minutes, 'minute')} and {plural(rest, 'second')}"


def _steps(reading: Reading) -> list[str]:
    """Return what was done, step by step."""
    metrics, config = reading.metrics, reading.config
    split = metrics.get("split") or {}
    kind = SPLITS.get(str(split.get("kind")), "some interactions of every user")
    weights = metrics.get("blend") or {}
    encoders = plain(sentences.encoder_title(str(metrics.get("encoder", ""))))
    grouper = str(config.get("grouper", ""))
    words = words_of("grouper", grouper)
    formed = (words and words.explained) or f"by {plain(called('grouper', grouper))}"
    steps = [
        f"**Prepare.** {plural(metrics.get('n_interactions', 0), 'interaction')} of "
        f"{plural(metrics.get('n_users', 0), 'user')} with {plural(metrics.get('n_items', 0), 'item')} remained after "
        "cleaning; the table below counts what every step left out.",
        f"**Keep aside.** To test on, {kind} were kept aside: {count(split.get('test', 0))} rows, and "
        f"{count(split.get('validation', 0))} more to choose settings by. Nothing was learned from the test part. "
        f"{split_words(split)}".strip(),
        f"**Predict.** What every user may want next is predicted by {encoders}."
        + (f" {findings.blend_answer(weights)} {findings.trend_answer(weights)}" if weights else ""),
        f"**Group.** Users were divided {formed}.",
        f"**Describe and generate.** {sentences.profile_answer(metrics.get('profile') or {})} "
        f"{sentences.generator_answer(metrics.get('generator') or {})}",
        f"**Make lists.** The items of a list are ordered {sections.order(reading.method)}.",
    ]
    if metrics.get("updater"):
        steps.append(f"**Keep up.** {sentences.updater_answer(metrics['updater'])}")
    return steps


def _preparation(reading: Reading) -> Html | None:
    found = reading.table("preparation")
    if found is None:
        return None
    shown = pd.DataFrame(
        {
            "Step": found["step"].astype(str).str.capitalize(),
            "Rows before": [count(n) for n in found["rows_before"]],
            "Rows after": [count(n) for n in found["rows_after"]],
            "Left out": [count(n) for n in found["dropped"]],
            "Note": found["note"].astype(str),
        }
    )
    return joined(element("h3", "What the preparation left out"), table(shown, right=tuple(shown.columns[1:4])))


def _settings(reading: Reading) -> Html:
    """Return all settings, the versions and what each stage took; folded on a screen."""
    metrics = reading.metrics
    versions = {f"version of {name}": said for name, said in (metrics.get("versions") or {}).items()}
    seconds = {f"seconds for {name}": f"{taken:.1f}" for name, taken in (metrics.get("stage_seconds") or {}).items()}
    decided = {f"chosen on the validation part: {name}": said for name, said in (metrics.get("decided") or {}).items()}
    flat = _flat({name: value for name, value in reading.config.items() if name != "format"})
    everything = {"run": reading.run.run_id, **flat, **_flat(decided), **versions, **seconds}
    shown = pd.DataFrame({"Setting": list(everything), "Value": [str(value) for value in everything.values()]})
    return element("details", element("summary", "All settings, versions and times"), table(shown))


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Return nested settings as ``outer.inner`` -> value; longer maps stay one value."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        key = f"{before}{name}"
        if isinstance(value, Mapping) and len(value) <= 20:
            flat |= _flat(value, f"{key}.")
        elif name in FILES and isinstance(value, str):
            flat[key] = PurePath(value).name
        else:
            flat[key] = value if isinstance(value, str) else json.dumps(value, default=str)
    return flat


def limits(reading: Reading) -> Html:
    """Return what a reader has to keep in mind, as far as it holds for this run."""
    return element("ul", *(element("li", sentence(said)) for said in _limits(reading)))


def _limits(reading: Reading) -> list[str]:
    metrics, groups = reading.metrics, reading.groups
    tested, apart = metrics.get("n_test_users"), (metrics.get("clusters") or {}).get("silhouette")
    said = [
        "Everything was measured on what people took without having seen these lists. What a list changes once it is "
        "shown, only a trial with real people can say.",
        "Intervals cover chance in which users were tested. They do not cover a change of season, of stock or of taste "
        "after the last row of the data.",
        "What is typical of a group, and what speaks for an item, are associations, not causes.",
        "Names of groups are made from the words of their items; a person should check them before they are published.",
    ]
    if tested is not None and tested < FEW_TESTED:
        said.append(f"Only {plural(tested, 'user')} could be tested, so small differences cannot be seen.")
    if apart is not None and apart < OVERLAP and len(groups) > 1:
        said.append(
            "The groups overlap: they are a useful division of tastes that pass into one another, not separate kinds "
            f"of people (mean silhouette {number(apart)}; 1 would be wide apart)."
        )
    left_out = int(metrics.get("n_users", 0)) - int(tested or 0)
    if tested and left_out > 0:
        share = percent(tested / metrics["n_users"])
        said.append(f"{share} of all users have interactions in the test part; the others could not be judged.")
    if reading.edited.grouping.changed:
        said.append(
            "People have merged, split or made groups since the training. The map, the groups and the lists show them "
            "as they are now; everything that was measured was measured with the trained groups."
        )
    if metrics.get("refit"):
        said.append("After the evaluation the run learned again from all rows: the lists shown are those later ones.")
    if reading.method == "generated":
        said.append("The lists are made from virtual members that a model draws; no real person is in them.")
    return said


def footer(reading: Reading) -> Html:
    """Return which software made the report, of which run."""
    version = (reading.metrics.get("versions") or {}).get("grouprec-studio", "")
    return sentence(f"Made by grouprec {plain(version)} from the run {plain(reading.run.run_id)}. {reading.when}.")
