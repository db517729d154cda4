"""The parts of the evidence that the Compare page shows in tabs: a sentence, a picture, a table, a download each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import N_, _, commas, decimal, passage
from grouprec.report import enough_lists, findings, gain, learned, sentences, small_groups, tables
from grouprec.report.text import attribute_title, attribute_value
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, feedback, state
from grouprec.ui.compare import parts
from grouprec.ui.compare.beyond import cold_start, repeats
from grouprec.ui.compare.groups import by_group
from grouprec.ui.compare.left_behind import left_behind

GAIN_HELP = N_("How much of the way from the best single list for all to personal lists a method goes")
VALUE_HELP = N_(
    "Every number of lists is tried on the test part, with its groups formed anew. **Personal lists**: everyone has "
    "their own. **Best possible**: the best shared lists for these groups, knowing the future. Bands are 95 % "
    "intervals. *Enough*: the smallest number within one standard error of the best."
)
SILHOUETTE_HELP = N_(
    "How much nearer members are to their own group than to the next one, from -1 to 1 (mean silhouette)"
)
STABILITY_HELP = N_(
    "Agreement of the groups of two seeds (adjusted Rand index): 1 the same groups, 0 no more than chance"
)
STEPS_HELP = N_(
    "Each step changes one thing and keeps the rest: differences are paired over the same users. Blue adds, orange "
    "costs, grey is not proven; whiskers are 95 % intervals of the difference."
)
STRATEGIES_HELP = N_(
    "The same groups and predictions, turned into lists by different rules. Measured on the test part: a guide for "
    "the next run, where the strategy is one of the advanced settings."
)
FAIRNESS_HELP = N_(
    "Beyond chance: below 5 % by a permutation test, after Holm's correction for the number of comparisons. "
    "A difference has no cause: people with more items, say, may be served better wherever they live."
)
BLEND_HELP = N_(
    "A logistic regression on the validation part: weights are exponents of what each encoder says. 0 means that an "
    "encoder adds nothing to the others."
)
PROFILE_HELP = N_("Negative log-likelihood of held-out items, in nats per item; lower is better")
GENERATOR_HELP = N_(
    "Fréchet distance to members held out from training; random draws are one normal distribution per group"
)
UPDATER_HELP = N_(
    "The numbers are nDCG@10 of the next item, with the user frozen and with the user moved by every event"
)


def value_of_groups(run: Run, regime: str) -> None:
    """Draw what every number of lists is worth, by method, between one list for all and personal lists."""
    value = state.table_or_none(run, "value_of_groups")
    method = "" if value is None else tables.curve_method(value, state.metrics(run), regime)
    curves = {} if value is None else tables.value_curves(value, regime, method)
    if value is None or not curves:
        st.markdown(_(parts.MISSING))
        return
    named = {sentences.method_title(method): curve for method, curve in curves.items()}
    ours, own = next(iter(named.items()))
    hits = tables.value_curves(value, regime, method, gain.HITS).get(method, own.iloc[:0])
    steps = state.table_or_none(run, "gain_of_groups")
    said = enough_lists.enough_answer(own, hits, None if steps is None else steps[steps["regime"] == regime])
    parts.say(passage(said, gain.floor_words(gain.floor_of(own))), _(VALUE_HELP))
    picture, numbers = parts.views()
    with picture:
        parts.draw(
            charts.value_lines(named, own, state.metrics(run).get("n_groups", 0), parts.NDCG, ours),
            "value",
            _("{ndcg} by number of lists, for {named}").format(ndcg=parts.NDCG, named=commas(named)),
        )
    formats = {name: st.column_config.NumberColumn(format="percent", help=_(GAIN_HELP)) for name in _gain_titles(named)}
    formats[N_("Apart")] = st.column_config.NumberColumn(format="%.2f", help=_(SILHOUETTE_HELP))
    formats[N_("Stability")] = st.column_config.NumberColumn(format="%.2f", help=_(STABILITY_HELP))
    safe, shown = small_groups.of_sizes(value), tables.value_table(value, regime, method)
    with numbers:
        parts.numbers_table(shown, "value", safe, "value_of_groups.csv", formats, small_groups.note())
    _how_chosen(run)


def _gain_titles(titles: Mapping[str, Any]) -> list[str]:
    return [_("{title}, share of gain").format(title=title) for title in titles]


def _how_chosen(run: Run) -> None:
    """Say how the number of lists was chosen, where the run chose it itself."""
    tried, reason = state.table_or_none(run, "choice_of_groups"), state.metrics(run).get("n_groups_reason")
    if reason:
        st.markdown(_("**How the number was chosen.** {reason}").format(reason=cards.plain(reason)))
    if tried is not None:
        with st.expander(_("What was tried on the validation part")):
            st.dataframe(
                tried, hide_index=True, key="compare_choice", alt=_("Numbers of groups tried on the validation part")
            )


def stages(run: Run, regime: str) -> None:
    """Draw what each step adds to the lists, and what the learned parts are worth by themselves."""
    table = state.table_or_none(run, "ablation")
    if table is None:
        st.markdown(_(parts.MISSING))
    else:
        rows = tables.of(table, regime=regime)
        rows = rows.assign(title=rows["step"].map(findings.step_title))
        parts.say(findings.steps_answer(rows), _(STEPS_HELP))
        picture, numbers = parts.views()
        with picture:
            parts.draw(
                charts.steps(rows, parts.NDCG),
                "steps",
                _("What every step adds to {ndcg}: {title}").format(ndcg=parts.NDCG, title=commas(rows["title"])),
            )
        shown = pd.DataFrame(
            {
                N_("Step"): rows["title"],
                N_("Lists"): rows["what"].map(findings.step_lists),
                parts.NDCG: rows["value"].round(3),
                N_("Against the step before"): [
                    cards.difference(*row) for row in rows[["added", "low", "high"]].itertuples(index=False)
                ],
                N_("Verdict"): [
                    _(findings.verdict(*row)) for row in rows[["added", "low", "high"]].itertuples(index=False)
                ],
            }
        )
        with numbers:
            parts.numbers_table(shown, "steps", table, "stages.csv")
    _learned_parts(state.metrics(run))


def _learned_parts(metrics: Mapping[str, Any]) -> None:
    """Draw what profile, generator and updater reach on their own terms."""
    profile, generator, updater = (metrics.get(name) or {} for name in ("profile", "generator", "updater"))
    left, middle, right = st.columns(3, gap="small")
    with left.container(border=True, height="stretch"):
        st.markdown(_("**Profile.** {profile}").format(profile=learned.profile_answer(profile)), help=_(PROFILE_HELP))
        names = {_("Profile"): "nll_vae", _("Without groups"): "nll_plain", _("Popularity"): "nll_popularity"}
        parts.numbers({title: profile.get(name) for title, name in names.items()}, _two_decimals)
    with middle.container(border=True, height="stretch"):
        said = passage(learned.verdict_answer(metrics.get("verdict") or {}), learned.generator_answer(generator))
        st.markdown(_("**Generator.** {said}").format(said=said), help=_(GENERATOR_HELP))
        names = {_("Generator"): "frechet_generated", _("Random draws"): "frechet_gaussian"}
        parts.numbers({title: generator.get(name) for title, name in names.items()}, _two_decimals)
    with right.container(border=True, height="stretch"):
        st.markdown(
            _("**Live updates.** {updater}").format(updater=learned.updater_answer(updater)), help=_(UPDATER_HELP)
        )
        rates = updater.get("ndcg@10") or {}
        parts.numbers({_("Frozen"): rates.get("frozen"), _("Updated"): rates.get("updated")}, cards.score)


def _two_decimals(value: float) -> str:
    """Return a number that stands beside another one, both with as many decimals."""
    return decimal(value, 2)


def strategies(run: Run, regime: str) -> None:
    """Draw what other ways of making one list from many wishes would be worth."""
    table = state.table_or_none(run, "strategies")
    if table is None:
        st.markdown(_(parts.MISSING))
        return
    chosen = (state.run_choices(run).get("rules") or {}).get("strategy", "utility")
    rows = tables.of(table, regime=regime).sort_values("value", ascending=False, ignore_index=True)
    rows = rows.assign(title=rows["title"].map(_))
    parts.say(findings.strategies_answer(rows, chosen), _(STRATEGIES_HELP))
    drawn = rows.assign(ours=rows["strategy"] == chosen, regime=regime)
    alt = _("Aggregation strategies by {ndcg}, best first: {title}")
    picture, numbers = parts.views()
    with picture:
        parts.draw(
            charts.method_dots(drawn, {}, parts.NDCG),
            "strategies",
            alt.format(ndcg=parts.NDCG, title=commas(rows["title"])),
        )
    shown = tables.with_interval(rows, {"title": N_("Strategy")})
    shown[N_("Price")] = (rows["value"] - rows["value"].max()).round(3)
    shown[N_("This run")] = drawn["ours"]
    price = st.column_config.NumberColumn(format="%+.3f", help=_("Difference to the strategy that does best"))
    with numbers:
        parts.numbers_table(shown, "strategies", table, "strategies.csv", {"Price": price})


def fairness(run: Run, regime: str) -> None:
    """Draw whom lists serve better or worse, by attribute, and how much they favour popular items."""
    table = state.table_or_none(run, "fairness")
    if table is None:
        st.markdown(_(parts.MISSING))
        return
    rows = tables.of(table, regime=regime)
    parts.say(findings.fairness_answer(rows), _(FAIRNESS_HELP))
    surest_first = rows.sort_values("p_adjusted", kind="stable")
    attributes = surest_first["attribute"].drop_duplicates().tolist()
    attribute = st.selectbox(
        _("Attribute"), attributes, format_func=attribute_title, key="compare_attribute", width=320
    )
    part = rows[rows["attribute"] == attribute].rename(columns={"mean": "value", "value": "title"})
    part["title"] = [attribute_value(attribute, value) for value in part["title"]]
    everybody = float((part["value"] * part["n_users"]).sum() / max(part["n_users"].sum(), 1))
    picture, numbers = parts.views()
    with picture:
        parts.draw(
            charts.method_dots(
                part.assign(ours=part["p_adjusted"] < findings.LEVEL), {_("all users"): everybody}, parts.NDCG
            ),
            "fairness",
            _("{ndcg} by {attribute}").format(ndcg=parts.NDCG, attribute=attribute_title(attribute)),
        )
    shown = tables.with_interval(part, {"title": N_("Value"), "n_users": N_("Tested users")})
    ends = part[["difference", "difference_low", "difference_high"]]
    shown[N_("Against all others")] = [cards.difference(*row) for row in ends.itertuples(index=False)]
    shown[N_("Chance")] = part["p_adjusted"].round(3)
    chance = st.column_config.NumberColumn(format="%.3f", help=f"{_('Corrected p value: ')}{_(FAIRNESS_HELP)}")
    safe = small_groups.of_values(table, ["attribute", "metric", "regime"], "n_users")
    with numbers:
        parts.numbers_table(shown, "fairness", safe, "fairness.csv", {"Chance": chance}, small_groups.note())
    _popularity_bias(run, regime, numbers)


def _popularity_bias(run: Run, regime: str, numbers: DeltaGenerator) -> None:
    """Say how much lists favour popular items; the table goes into ``numbers``."""
    exposure = state.table_or_none(run, "exposure")
    if exposure is None:
        return
    st.markdown(_("**Popularity bias.** {exposure}").format(exposure=findings.popularity_answer(exposure, regime)))
    tier = _("Share of what is listed that falls on it. Head: the most popular 20 % of items, middle: the next 30 %")
    formats: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="percent", help=tier)
        for name in ("Head", "Middle", "Tail", "Catalogue shown")
    }
    formats["Mean popularity"] = st.column_config.NumberColumn(
        format="percent", help=_("Share of users who have an item, averaged over listed items")
    )
    formats["Gini"] = st.column_config.NumberColumn(
        format="%.2f", help=_("0 where all items are shown alike, towards 1 where only one is")
    )
    with numbers:
        parts.numbers_table(tables.popularity_table(exposure), "exposure", exposure, "exposure.csv", formats)


def blend(run: Run, regime: str) -> None:
    """Draw how much each encoder counts, and how much recent popularity does."""
    metrics = state.metrics(run)
    weights = metrics.get("blend")
    if not weights:
        encoder = sentences.encoder_title(str(metrics.get("encoder", "")))
        parts.say(
            _("This run used one encoder, {encoder}: the best on the validation part.").format(
                encoder=cards.plain(encoder)
            )
        )
        return
    parts.say(passage(findings.blend_answer(weights), findings.trend_answer(weights)), _(BLEND_HELP))
    if said := findings.beside_answer(state.table_or_none(run, "beside")):
        st.markdown(cards.plain(said))
    values = weights.get("ndcg") or {}
    picture, numbers = parts.views() if values else (st.container(), st.container())
    if values:
        rows = pd.DataFrame({"name": list(values), "value": list(values.values())}).sort_values(
            "value", ascending=False
        )
        titles = rows["name"].map(lambda name: _("Blend") if name == "blend" else sentences.encoder_title(str(name)))
        rows = rows.assign(title=titles, regime="", low=rows["value"], high=rows["value"], ours=rows["name"] == "blend")
        with picture:
            parts.draw(
                charts.method_dots(rows, {}, _("{ndcg} on the validation part").format(ndcg=parts.NDCG)),
                "blend",
                _("The blend and its encoders"),
            )
    table = tables.blend_table(weights, state.table(run, "comparisons"))
    weight = st.column_config.NumberColumn(format="%.2f", help=_(BLEND_HELP))
    with numbers:
        parts.numbers_table(table, "blend", table, "blend.csv", {"Weight": weight})


PARTS: dict[str, Callable[[Run, str], None]] = {
    N_("How many lists"): value_of_groups,
    N_("Stages"): stages,
    N_("Left behind"): left_behind,
    N_("By group"): by_group,
    N_("Strategies"): strategies,
    N_("Fairness"): fairness,
    N_("Cold start"): cold_start,
    N_("Repeats"): repeats,
    N_("Blend"): blend,
    N_("Feedback"): feedback.acceptance,
}
