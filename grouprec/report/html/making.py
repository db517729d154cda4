"""The parts of a report that say how the run was made, and what its numbers do not say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import pandas as pd

from grouprec.core.language import N_, Glossary, _, passage
from grouprec.data.split_words import split_words
from grouprec.models.declared import called, words_of
from grouprec.report import findings, learned, sentences
from grouprec.report.html import sections
from grouprec.report.html.markup import Html, element, joined, paragraph, sentence, table
from grouprec.report.html.reading import Reading
from grouprec.report.text import count, number, percent, plain, plural

FILES = (
    "interactions",
    "users",
    "items",
    "also",
    "edges",
)  # settings that are paths: only the file's name is anybody's business
SPLITS = Glossary({"time": "the latest interactions of all", "user_time": "the latest interactions of every user"})
FEW_TESTED = 200
OVERLAP = 0.1  # below this mean silhouette groups are parts of a continuum


def method(reading: Reading) -> Html:
    """Return how the run was made: in plain words, then the counts and settings."""
    steps = element("ol", *(element("li", sentence(step)) for step in _steps(reading)))
    return joined(paragraph(_cost(reading)), steps, _preparation(reading), _settings(reading))


def _cost(reading: Reading) -> str:
    metrics = reading.metrics
    seconds = metrics.get("seconds")
    device = metrics.get("device_title", "")
    quickly = _("This run was trained in {took} on {device}, with the preset *{preset}* and the seed {seed}.")
    untimed = _("This run was trained on {device}, with the preset *{preset}* and the seed {seed}.")
    return (quickly if seconds else untimed).format(
        took=_duration(seconds) if seconds else "",
        device=plain(_(device) or _("this machine")),
        preset=plain(metrics.get("preset", "")),
        seed=reading.config.get("seed", 0),
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return (
        plural(rest, "second")
        if not minutes
        else _("{minutes} and {seconds}").format(minutes=plural(minutes, "minute"), seconds=plural(rest, "second"))
    )


def _steps(reading: Reading) -> list[str]:
    """Return what was done, step by step."""
    metrics, config = reading.metrics, reading.config
    split = metrics.get("split") or {}
    kind = SPLITS.get(str(split.get("kind")), _("some interactions of every user"))
    weights = metrics.get("blend") or {}
    encoders = plain(sentences.encoder_title(str(metrics.get("encoder", ""))))
    grouper = str(config.get("grouper", ""))
    words = words_of("grouper", grouper)
    formed = (words and _(words.explained)) or _("by {called}").format(called=plain(called("grouper", grouper)))
    steps = [
        _(
            "**Prepare.** {interactions} of {users} with {items} remained after cleaning; the table "
            "below counts what every step left out."
        ).format(
            interactions=plural(metrics.get("n_interactions", 0), "interaction"),
            users=plural(metrics.get("n_users", 0), "user"),
            items=plural(metrics.get("n_items", 0), "item"),
        ),
        _(
            "**Keep aside.** To test on, {kind} were kept aside: {split} rows, and {choosing} more to "
            "choose settings by. Nothing was learned from the test part. {reason}"
        )
        .format(
            kind=kind,
            split=count(split.get("test", 0)),
            choosing=count(split.get("validation", 0)),
            reason=split_words(split),
        )
        .strip(),
        passage(
            _("**Predict.** What every user may want next is predicted by {encoders}.").format(encoders=encoders),
            *((findings.blend_answer(weights), findings.trend_answer(weights)) if weights else ()),
            plain(findings.beside_answer(reading.table("beside"))),
        ),
        _("**Group.** Users were divided {formed}.").format(formed=formed),
        _("**Describe and generate.** {value} {generated}").format(
            value=learned.profile_answer(metrics.get("profile") or {}),
            generated=learned.generator_answer(metrics.get("generator") or {}),
        ),
        _("**Make lists.** The items of a list are ordered {method}.").format(method=sections.order(reading.method)),
    ]
    if metrics.get("updater"):
        steps.append(_("**Keep up.** {updater}").format(updater=learned.updater_answer(metrics["updater"])))
    return steps


def _preparation(reading: Reading) -> Html | None:
    found = reading.table("preparation")
    if found is None:
        return None
    shown = pd.DataFrame(
        {
            N_("Step"): [said[:1].upper() + said[1:] for said in map(_, found["step"].astype(str))],
            N_("Rows before"): [count(n) for n in found["rows_before"]],
            N_("Rows after"): [count(n) for n in found["rows_after"]],
            N_("Left out"): [count(n) for n in found["dropped"]],
            N_("Note"): found["note"].astype(str),
        }
    )
    return joined(element("h3", _("What the preparation left out")), table(shown, right=tuple(shown.columns[1:4])))


def _settings(reading: Reading) -> Html:
    """Return all settings, the versions and what each stage took; folded on a screen."""
    metrics = reading.metrics
    versions = {
        _("version of {name}").format(name=name): said for name, said in (metrics.get("versions") or {}).items()
    }
    seconds = {
        _("seconds for {name}").format(name=name): f"{taken:.1f}"
        for name, taken in (metrics.get("stage_seconds") or {}).items()
    }
    decided = {
        _("chosen on the validation part: {name}").format(name=name): said
        for name, said in (metrics.get("decided") or {}).items()
    }
    flat = _flat({name: value for name, value in reading.config.items() if name != "format"})
    everything = {"run": reading.run.run_id, **flat, **_flat(decided), **versions, **seconds}
    shown = pd.DataFrame({N_("Setting"): list(everything), N_("Value"): [str(value) for value in everything.values()]})
    return element("details", element("summary", _("All settings, versions and times")), table(shown))


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
        _(
            "Everything was measured on what people took without having seen these lists. "
            "What a list changes once it is shown, only a trial with real people can say."
        ),
        _(
            "Intervals cover chance in which users were tested. They do not cover a change "
            "of season, of stock or of taste after the last row of the data."
        ),
        _("What is typical of a group, and what speaks for an item, are associations, not causes."),
        _(
            "Names of groups are made from the words of their items; a person should check "
            "them before they are published."
        ),
    ]
    if tested is not None and tested < FEW_TESTED:
        said.append(
            _("Only {users} could be tested, so small differences cannot be seen.").format(users=plural(tested, "user"))
        )
    if apart is not None and apart < OVERLAP and len(groups) > 1:
        said.append(
            _(
                "The groups overlap: they are a useful division of tastes that pass into one another, "
                "not separate kinds of people (mean silhouette {apart}; 1 would be wide apart)."
            ).format(apart=number(apart))
        )
    left_out = int(metrics.get("n_users", 0)) - int(tested or 0)
    if tested and left_out > 0:
        share = percent(tested / metrics["n_users"])
        said.append(
            _("{share} of all users have interactions in the test part; the others could not be judged.").format(
                share=share
            )
        )
    if reading.edited.grouping.changed:
        said.append(
            _(
                "People have merged, split or made groups since the training. The map, the "
                "groups and the lists show them as they are now; everything that was measured "
                "was measured with the trained groups."
            )
        )
    if metrics.get("refit"):
        said.append(
            _("After the evaluation the run learned again from all rows: the lists shown are those later ones.")
        )
    if reading.method == "generated":
        said.append(_("The lists are made from virtual members that a model draws; no real person is in them."))
    return said


def footer(reading: Reading) -> Html:
    """Return which software made the report, and for which run."""
    version = (reading.metrics.get("versions") or {}).get("grouprec-studio", "")
    return sentence(
        _("Made by grouprec {version} from the run {run_id}. {when}.").format(
            version=plain(version), run_id=plain(reading.run.run_id), when=reading.when
        )
    )
