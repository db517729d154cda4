"""The parts of the evidence that the Compare page shows in tabs: a sentence, a picture, a table, a download each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from grouprec.core.language import N_, Glossary, _, commas
from grouprec.report import enough_lists, findings, gain, learned, sentences, small_groups, tables
from grouprec.report.text import attribute_title
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, feedback, state
from grouprec.ui.compare.groups import by_group

NDCG = "nDCG@10"
MISSING = N_("This run has no such numbers: it is older than they are, or its data did not allow them. Train it again.")
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
SPLIT_HELP = N_(
    "What two lists instead of one would bring the group's members. **Predicted** by the model, before looking; "
    "**measured** on the test part, with its 95 % interval."
)
STRATEGIES_HELP = N_(
    "The same groups and predictions, turned into lists by different rules. Measured on the test part: a guide for "
    "the next run, where the strategy is one of the advanced settings."
)
FAIRNESS_HELP = N_(
    "Beyond chance: below 5 % by a permutation test, after Holm's correction for the number of comparisons. "
    "A difference has no cause: people with more items, say, may be served better wherever they live."
)
COLD_HELP = N_("The same people each time, with all but a few of their items forgotten. Bars are 95 % intervals.")
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
        st.markdown(_(MISSING))
        return
    named = {sentences.method_title(method): curve for method, curve in curves.items()}
    ours, own = next(iter(named.items()))
    hits = tables.value_curves(value, regime, method, gain.HITS).get(method, own.iloc[:0])
    steps = state.table_or_none(run, "gain_of_groups")
    said = enough_lists.enough_answer(own, hits, None if steps is None else steps[steps["regime"] == regime])
    _say(f"{said} {gain.floor_words(gain.floor_of(own))}", _(VALUE_HELP))
    _draw(
        charts.value_lines(named, own, state.metrics(run).get("n_groups", 0), NDCG, ours),
        "value",
        _("{ndcg} by number of lists, for {named}").format(ndcg=NDCG, named=commas(named)),
    )
    formats = {name: st.column_config.NumberColumn(format="percent", help=_(GAIN_HELP)) for name in _gain_titles(named)}
    formats[N_("Apart")] = st.column_config.NumberColumn(format="%.2f", help=_(SILHOUETTE_HELP))
    formats[N_("Stability")] = st.column_config.NumberColumn(format="%.2f", help=_(STABILITY_HELP))
    safe = small_groups.of_sizes(value)
    _table(
        tables.value_table(value, regime, method), "value", safe, "value_of_groups.csv", formats, small_groups.note()
    )
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
        st.markdown(_(MISSING))
    else:
        rows = tables.of(table, regime=regime)
        rows = rows.assign(title=rows["step"].map(findings.step_title))
        _say(findings.steps_answer(rows), _(STEPS_HELP))
        _draw(
            charts.steps(rows, NDCG),
            "steps",
            _("What every step adds to {ndcg}: {title}").format(ndcg=NDCG, title=commas(rows["title"])),
        )
        shown = pd.DataFrame(
            {
                N_("Step"): rows["title"],
                N_("Lists"): rows["what"].map(findings.step_lists),
                NDCG: rows["value"].round(3),
                N_("Against the step before"): [
                    cards.difference(*row) for row in rows[["added", "low", "high"]].itertuples(index=False)
                ],
                N_("Verdict"): [
                    _(findings.verdict(*row)) for row in rows[["added", "low", "high"]].itertuples(index=False)
                ],
            }
        )
        _table(shown, "steps", table, "stages.csv")
    _learned_parts(state.metrics(run))


def _learned_parts(metrics: Mapping[str, Any]) -> None:
    """Draw what profile, generator and updater reach on their own terms."""
    profile, generator, updater = (metrics.get(name) or {} for name in ("profile", "generator", "updater"))
    left, middle, right = st.columns(3, gap="small")
    with left.container(border=True, height="stretch"):
        st.markdown(_("**Profile.** {profile}").format(profile=learned.profile_answer(profile)), help=_(PROFILE_HELP))
        names = {_("Profile"): "nll_vae", _("Without groups"): "nll_plain", _("Popularity"): "nll_popularity"}
        _numbers({title: profile.get(name) for title, name in names.items()}, cards.number)
    with middle.container(border=True, height="stretch"):
        said = f"{learned.verdict_answer(metrics.get('verdict') or {})} {learned.generator_answer(generator)}"
        st.markdown(_("**Generator.** {said}").format(said=said), help=_(GENERATOR_HELP))
        names = {_("Generator"): "frechet_generated", _("Random draws"): "frechet_gaussian"}
        _numbers({title: generator.get(name) for title, name in names.items()}, cards.number)
    with right.container(border=True, height="stretch"):
        st.markdown(
            _("**Live updates.** {updater}").format(updater=learned.updater_answer(updater)), help=_(UPDATER_HELP)
        )
        rates = updater.get("ndcg@10") or {}
        _numbers({_("Frozen"): rates.get("frozen"), _("Updated"): rates.get("updated")}, cards.score)


def left_behind(run: Run, regime: str) -> None:
    """Draw which groups are served worst, and what splitting each would gain."""
    served = state.table(run, "group_evaluation")
    found = state.table_or_none(run, "left_behind")
    split = pd.DataFrame() if found is None else found[found["regime"] == regime]
    frame = tables.served_groups(served[served["regime"] == regime], split)
    refit = bool(state.metrics(run).get("refit"))
    answer = sentences.left_behind_answer(frame)
    gain = f" {findings.split_answer(frame)}" if len(split) and frame["zero_hit_share"].notna().any() else ""
    _say(answer + gain, _(SPLIT_HELP))
    if frame["zero_hit_share"].isna().all():
        return
    shown = frame.round(3)
    measured = f"measured_{sentences.METRIC}"
    if measured in shown:
        ends = frame[[measured, f"{measured}_low", f"{measured}_high"]]
        shown = shown.drop(columns=list(ends)).assign(
            measured=[cards.difference(*row) for row in ends.itertuples(index=False)]
        )
    st.dataframe(
        shown if refit else cards.colour_groups(shown),  # a refitted run's map has other groups, in the same colours
        hide_index=True,
        key="compare_groups",
        height=min(36 + 35 * len(shown), 491),
        column_config=_left_behind_columns(),
        alt=_("Groups by the share of members who found nothing in their list"),
    )
    if refit:
        st.caption(_("These are the groups of the evaluation; the run then learned its groups again from all rows."))
    safe = small_groups.without(frame, small_groups.untold(frame["n_test_users"]), list(frame.columns[2:]))
    cards.download(_("Download"), lambda: safe, "left_behind.csv", "compare_download_groups", small_groups.note())


def _left_behind_columns() -> dict[str, Any]:
    """Return how the columns of the groups served worst are shown."""
    return {
        "group": st.column_config.NumberColumn("", width=40),
        "name": st.column_config.TextColumn(_("Group"), width=180),
        "n_test_users": st.column_config.NumberColumn(_("Tested users"), format="localized", width=95),
        "zero_hit_share": st.column_config.ProgressColumn(
            _("Found nothing"), format="percent", min_value=0, max_value=1, width=125
        ),
        "ndcg@10": st.column_config.NumberColumn(NDCG, format="%.3f", width=80, help=_(sentences.METRIC_HELP)),
        "worst_decile": st.column_config.NumberColumn(
            _("Worst tenth"),
            format="%.3f",
            width=90,
            help=_("{ndcg} of the tenth of members who are served worst").format(ndcg=NDCG),
        ),
        "share_lost": st.column_config.NumberColumn(
            _("Gain lost"),
            format="percent",
            width=80,
            help=_(
                "Of what personal lists would gain over one list for all; above 100 % that one serves the group better"
            ),
        ),
        "predicted_ndcg@10": st.column_config.NumberColumn(
            _("Split, predicted"), format="%+.3f", width=110, help=_(SPLIT_HELP)
        ),
        "measured": st.column_config.TextColumn(_("Split, measured"), width=185, help=_(SPLIT_HELP)),
    }


def strategies(run: Run, regime: str) -> None:
    """Draw what other ways of making one list from many wishes would be worth."""
    table = state.table_or_none(run, "strategies")
    if table is None:
        st.markdown(_(MISSING))
        return
    chosen = (state.run_choices(run).get("rules") or {}).get("strategy", "utility")
    rows = tables.of(table, regime=regime).sort_values("value", ascending=False, ignore_index=True)
    rows = rows.assign(title=rows["title"].map(_))
    _say(findings.strategies_answer(rows, chosen), _(STRATEGIES_HELP))
    drawn = rows.assign(ours=rows["strategy"] == chosen, regime=regime)
    _draw(
        charts.method_dots(drawn, {}, NDCG),
        "strategies",
        _("Aggregation strategies by {ndcg}, best first: {title}").format(ndcg=NDCG, title=commas(rows["title"])),
    )
    shown = tables.with_interval(rows, {"title": N_("Strategy")})
    shown[N_("Price")] = (rows["value"] - rows["value"].max()).round(3)
    shown[N_("This run")] = drawn["ours"]
    price = st.column_config.NumberColumn(format="%+.3f", help=_("Difference to the strategy that does best"))
    _table(shown, "strategies", table, "strategies.csv", {"Price": price})


def fairness(run: Run, regime: str) -> None:
    """Draw whom lists serve better or worse, by attribute, and how much they favour popular items."""
    table = state.table_or_none(run, "fairness")
    if table is None:
        st.markdown(_(MISSING))
        return
    rows = tables.of(table, regime=regime)
    _say(findings.fairness_answer(rows), _(FAIRNESS_HELP))
    surest_first = rows.sort_values("p_adjusted", kind="stable")
    attributes = surest_first["attribute"].drop_duplicates().tolist()
    attribute = st.selectbox(
        _("Attribute"), attributes, format_func=attribute_title, key="compare_attribute", width=320
    )
    part = rows[rows["attribute"] == attribute].rename(columns={"mean": "value", "value": "title"})
    everybody = float((part["value"] * part["n_users"]).sum() / max(part["n_users"].sum(), 1))
    _draw(
        charts.method_dots(part.assign(ours=part["p_adjusted"] < findings.LEVEL), {_("all users"): everybody}, NDCG),
        "fairness",
        _("{ndcg} by {attribute}").format(ndcg=NDCG, attribute=attribute_title(attribute)),
    )
    shown = tables.with_interval(part, {"title": N_("Value"), "n_users": N_("Tested users")})
    ends = part[["difference", "difference_low", "difference_high"]]
    shown[N_("Against all others")] = [cards.difference(*row) for row in ends.itertuples(index=False)]
    shown[N_("Chance")] = part["p_adjusted"].round(3)
    chance = st.column_config.NumberColumn(format="%.3f", help=f"{_('Corrected p value: ')}{_(FAIRNESS_HELP)}")
    safe = small_groups.of_values(table, ["attribute", "metric", "regime"], "n_users")
    _table(shown, "fairness", safe, "fairness.csv", {"Chance": chance}, small_groups.note())
    _popularity_bias(run, regime)


def _popularity_bias(run: Run, regime: str) -> None:
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
    _table(tables.popularity_table(exposure), "exposure", exposure, "exposure.csv", formats)


COLD_WORDS = Glossary(
    {
        "cold items": "Cold items",
        "catalogue": "Catalogue",
        "attributes": "Attributes",
        "random": "Random",
    }
)
TASKS = Glossary({"new items": "New items", "repeats allowed": "Repeats allowed"})


def cold_start(run: Run, regime: str) -> None:
    """Draw what people get of whom little is known, and how items that nobody has are found."""
    users, items = state.table_or_none(run, "cold_users"), state.table_or_none(run, "cold_items")
    if users is None and items is None:
        st.markdown(_(MISSING))
    if users is not None:
        rows = tables.of(users).rename(columns={"n_known": "count"}).sort_values("count")
        curves = {_cold_title(str(name)): curve for name, curve in rows.groupby("method", sort=False)}
        ours, popular = _cold_title("individual"), _cold_title("popularity")
        _say(
            _("**New people.** {curves}").format(curves=findings.cold_users_answer(curves, ours, popular)), _(COLD_HELP)
        )
        alt = _("{ndcg} by number of known items, for {curves}").format(ndcg=NDCG, curves=commas(curves))
        _draw(charts.by_count(curves, _("known items"), NDCG, ours), "cold", alt)
        titled = rows.assign(title=rows["method"].map(_cold_title))
        shown = tables.with_interval(titled, {"count": N_("Known items"), "title": N_("Lists"), "n_users": N_("Users")})
        _table(shown, "cold_users", users, "cold_users.csv")
    if items is not None:
        rows = tables.of(items)
        _say(_("**New items.** {rows}").format(rows=findings.cold_items_answer(rows)))
        rows["method"] = [COLD_WORDS.get(name) or name.replace("_", " ").capitalize() for name in rows["method"]]
        rows["among"] = [COLD_WORDS.get(name) or name.capitalize() for name in rows["among"]]
        shown = tables.with_interval(rows, {"among": N_("Ranked among"), "method": N_("By"), "n_users": N_("Users")})
        _table(shown, "cold_items", items, "cold_items.csv")


def _cold_title(method: str) -> str:
    return {"individual": _("Personal predictions")}.get(method, sentences.method_title(method))


def repeats(run: Run, regime: str) -> None:
    """Draw what personal lists reach with new items only, and where items may be listed again."""
    table = state.table_or_none(run, "repeats")
    if table is None:
        st.markdown(_(MISSING))
        return
    rows = tables.of(table)
    _say(findings.repeats_answer(rows, bool(state.metrics(run).get("repeats"))))
    names = {"individual": _("Personal lists"), "own_frequency": _("What each person took most")}
    method = rows["method"].map(lambda name: names.get(str(name), sentences.method_title(str(name))))
    pairs = zip(rows["task"], method.str.lower(), strict=True)
    rows = rows.assign(
        title=[
            _("{title}: {value}").format(title=TASKS.get(task) or task.capitalize(), value=one) for task, one in pairs
        ]
    )
    drawn = rows.assign(ours=rows["method"] == "individual", regime="")
    _draw(
        charts.method_dots(drawn, {}, NDCG),
        "repeats",
        _("{ndcg} with new items only and with repeats allowed").format(ndcg=NDCG),
    )
    _table(tables.with_interval(rows, {"title": N_("Task"), "n_users": N_("Users")}), "repeats", table, "repeats.csv")


def blend(run: Run, regime: str) -> None:
    """Draw how much each encoder counts, and how much recent popularity does."""
    metrics = state.metrics(run)
    weights = metrics.get("blend")
    if not weights:
        encoder = sentences.encoder_title(str(metrics.get("encoder", "")))
        _say(
            _("This run used one encoder, {encoder}: the best on the validation part.").format(
                encoder=cards.plain(encoder)
            )
        )
        return
    _say(f"{findings.blend_answer(weights)} {findings.trend_answer(weights)}", _(BLEND_HELP))
    if said := findings.beside_answer(state.table_or_none(run, "beside")):
        st.markdown(cards.plain(said))
    values = weights.get("ndcg") or {}
    if values:
        rows = pd.DataFrame({"name": list(values), "value": list(values.values())}).sort_values(
            "value", ascending=False
        )
        titles = rows["name"].map(lambda name: _("Blend") if name == "blend" else sentences.encoder_title(str(name)))
        rows = rows.assign(title=titles, regime="", low=rows["value"], high=rows["value"], ours=rows["name"] == "blend")
        _draw(
            charts.method_dots(rows, {}, _("{ndcg} on the validation part").format(ndcg=NDCG)),
            "blend",
            _("The blend and its encoders"),
        )
    table = tables.blend_table(weights, state.table(run, "comparisons"))
    weight = st.column_config.NumberColumn(format="%.2f", help=_(BLEND_HELP))
    _table(table, "blend", table, "blend.csv", {"Weight": weight})


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


def _say(sentence: str, explanation: str | None = None) -> None:
    st.markdown(sentence, help=explanation)


def _draw(figure: go.Figure, name: str, alt: str) -> None:
    st.plotly_chart(figure, key=f"compare_{name}", config=charts.QUIET_CONFIG, alt=alt)


def _table(
    shown: pd.DataFrame,
    name: str,
    whole: pd.DataFrame,
    file_name: str,
    formats: Mapping[str, Any] | None = None,
    help: str | None = None,
) -> None:
    """Draw a table and the download of all numbers behind it."""
    st.dataframe(
        shown,
        hide_index=True,
        key=f"compare_{name}_table",
        height=min(36 + 35 * len(shown), 491),
        column_config=cards.titles(shown, formats),
        placeholder=cards.NOTHING,
        alt=_("The numbers of the chart: {columns}").format(columns=commas(_(str(name)) for name in shown.columns)),
    )
    cards.download(_("Download"), lambda: whole, file_name, f"compare_download_{name}", help)


def _numbers(values: Mapping[str, float | None], write: Callable[[float], str]) -> None:
    """Draw the values that are there side by side: title -> value."""
    there = {title: value for title, value in values.items() if value is not None}
    if there:
        with st.grid(len(there), min_column_width=140, gap="small"):
            for title, value in there.items():
                st.metric(title, write(value))
