"""The evidence of a report: methods side by side, what every step adds, who is left behind, whether that is fair."""

from __future__ import annotations

import pandas as pd

from grouprec.core.language import N_, Glossary, _, passage
from grouprec.ranking.statistics import ENOUGH
from grouprec.report import findings, learned, noise, sentences, small_groups, tables
from grouprec.report.html import drawings
from grouprec.report.html.markup import Html, element, figure, joined, paragraph, table
from grouprec.report.html.reading import Reading
from grouprec.report.text import attribute_title, attribute_value, count, difference, interval, percent, plural, score

NDCG = "nDCG@10"
MOST_ROWS = 12  # of a table that goes from worst to best
MARKS = Glossary(
    {"individual": "personal lists", "oracle": "best possible"}
)  # and the floor, which has a name of its own


def of_run(reading: Reading) -> Html | None:
    """Return what the lists are held against, what every step adds, who is left behind and whether that is fair."""
    parts = [_methods(reading), _steps(reading), _left_behind(reading), _fairness(reading)]
    return joined(*parts) if any(parts) else None


def _methods(reading: Reading) -> Html | None:
    if reading.worth is None:
        return None
    rows = tables.methods_of(reading.evaluation, reading.regime, sentences.METRIC, reading.method)
    titles = {"floor": reading.floor_title.lower(), **MARKS}
    marks = {title: float(reading.worth[name]) for name, title in titles.items()}
    comparisons = reading.table("comparisons")
    tested = {} if comparisons is None else tables.differences(comparisons, reading.regime, sentences.METRIC)
    own = rows["method"].where(rows["regime"] == reading.regime)
    ends = rows[["value", "low", "high"]]
    shown = pd.DataFrame(
        {
            N_("Method"): rows["title"],
            f"{NDCG} (95 % interval)": [interval(*row) for row in ends.itertuples(index=False)],
            N_("Share of possible gain"): [percent(share) for share in rows["share_of_gain"]],
            N_("Against this run's lists"): own.map(tested).fillna(""),
        }
    )
    verdict = learned.verdict_answer(reading.metrics.get("verdict") or {})
    return joined(
        element("h3", _("Which method to trust")),
        paragraph(sentences.worth_answer(reading.evaluation, reading.regime, reading.method)),
        paragraph(verdict),
        paragraph(findings.takes_answer(reading.metrics.get("takes"))),
        figure(drawings.dots(rows, marks, NDCG), _("Dots are means over users, bars their 95 % intervals.")),
        table(shown, right=tuple(shown.columns[1:])),
        element(
            "p",
            _(
                "★ more than chance: a paired test, corrected for the number of comparisons; never below "
                "{enough} users."
            ).format(enough=ENOUGH),
            class_="quiet",
        ),
    )


def _steps(reading: Reading) -> Html | None:
    found = reading.table("ablation")
    if found is None:
        return None
    rows = tables.of(found, regime=reading.regime)
    rows = rows.assign(
        title=rows["step"].map(findings.step_title),
        verdict=[findings.verdict(*row) for row in rows[["added", "low", "high"]].itertuples(index=False)],
    )
    shown = pd.DataFrame(
        {
            N_("Step"): rows["title"],
            N_("Lists"): rows["what"].map(findings.step_lists),
            NDCG: rows["value"].map(score),
            N_("Against the step before"): [
                difference(*row) for row in rows[["added", "low", "high"]].itertuples(index=False)
            ],
            N_("Verdict"): rows["verdict"].map(_),
        }
    )
    return joined(
        element("h3", _("What every step adds")),
        paragraph(findings.steps_answer(rows)),
        figure(drawings.steps(rows, NDCG), _("Blue adds, orange costs, grey is not proven.")),
        table(shown, right=(NDCG, "Against the step before")),
    )


def _left_behind(reading: Reading) -> Html | None:
    served = reading.table("group_evaluation")
    if served is None:
        return None
    found = reading.table("left_behind")
    split = pd.DataFrame() if found is None else found[found["regime"] == reading.regime]
    frame = tables.served_groups(served[served["regime"] == reading.regime], split)
    frame = frame[~small_groups.untold(frame["n_test_users"])]
    if frame.empty:
        return None
    shown = frame.head(MOST_ROWS)
    columns = {
        N_("Group"): shown["name"],
        N_("Tested users"): [count(n) for n in shown["n_test_users"]],
        N_("Found nothing"): [percent(share) for share in shown["zero_hit_share"]],
        NDCG: [score(value) for value in shown[sentences.METRIC]],
    }
    gain = ""
    if len(split):
        measured = f"measured_{sentences.METRIC}"
        ends = shown[[measured, f"{measured}_low", f"{measured}_high"]]
        columns[N_("Split in two would gain")] = [difference(*row) for row in ends.itertuples(index=False)]
        gain = findings.split_answer(frame)
    rest = len(frame) - len(shown)
    other = _("These are the groups of the evaluation; the run then learned its groups again from all rows.")
    return joined(
        element("h3", _("Who is left behind")),
        paragraph(passage(sentences.left_behind_answer(frame), gain)),
        table(pd.DataFrame(columns), right=tuple(columns)[1:]),
        element(
            "p",
            _("{better_served_groups} not shown.").format(better_served_groups=plural(rest, "better served group")),
            class_="quiet",
        )
        if rest
        else None,
        element("p", other, class_="quiet") if reading.metrics.get("refit") else None,
    )


def _fairness(reading: Reading) -> Html | None:
    found, exposure = reading.table("fairness"), reading.table("exposure")
    parts = []
    if found is not None:
        rows = tables.of(found, regime=reading.regime)
        parts.append(paragraph(findings.fairness_answer(rows)))
        beyond = rows[rows["p_adjusted"] < findings.LEVEL].sort_values("p_adjusted").head(MOST_ROWS)
        if len(beyond):
            parts.append(_unlike(beyond))
    if exposure is not None:
        parts.append(paragraph(findings.popularity_answer(exposure, reading.regime)))
    return joined(element("h3", _("Is it fair?")), *parts) if parts else None


def _unlike(rows: pd.DataFrame) -> Html:
    """Return the users whom the lists serve better or worse than all others."""
    rows = rows[(rows["n_users"] >= small_groups.fewest()) & (noise.epsilon() is None)]
    ends = rows[["difference", "difference_low", "difference_high"]]
    shown = pd.DataFrame(
        {
            N_("Attribute"): rows["attribute"].map(attribute_title),
            N_("Value"): [attribute_value(*one) for one in zip(rows["attribute"], rows["value"], strict=True)],
            N_("Tested users"): [count(n) for n in rows["n_users"]],
            NDCG: [interval(*row) for row in rows[["mean", "low", "high"]].itertuples(index=False)],
            N_("Against all others"): [difference(*row) for row in ends.itertuples(index=False)],
        }
    )
    return table(shown, right=("Tested users", NDCG, "Against all others"))
