"""What the learned parts of a run reach by themselves, in sentences: generated lists, generator, updates, profile."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from grouprec.core.language import _, decimal, full_stop, passage
from grouprec.report.sentences import too_few
from grouprec.report.text import TOO_FEW, number, percent, percents, plural, ratio

SMALL_FACTOR = 0.01  # of a probability: no news


def verdict_answer(verdict: Mapping[str, float]) -> str:
    """Say what lists from virtual members keep of those from real members, and what variety they offer."""
    strict, dedup = verdict.get("strict_ratio"), verdict.get("dedup_ratio")
    if strict is None or dedup is None or strict != strict or dedup != dedup:
        return _("Generated lists were not judged in this run.")
    said = _("Lists from virtual members are worth {strict} of those from real members").format(strict=percent(strict))
    said += _(" ({dedup} where each member skips what they have).").format(dedup=percent(dedup))
    change, kept = verdict.get("turns_diversity_change"), verdict.get("turns_ratio")
    if change is None or kept is None or change != change or kept != kept:
        return said
    return _("{said} Alternative lists vary by {change} % and keep {kept}.").format(
        said=said, change=decimal(change, sign=True), kept=percent(kept)
    )


def generator_answer(generator: Mapping[str, float]) -> str:
    """Say how near the virtual members are to the real ones, against the simple alternative, and how many they miss."""
    ours, simple = generator.get("frechet_generated"), generator.get("frechet_gaussian")
    if ours is None or simple is None or not ours > 0:
        return _("The generator was not evaluated in this run.")
    if ours < simple:
        near = _("Virtual members are {simple} times nearer to the real ones than simple random draws").format(
            simple=ratio(simple / ours)
        )
        covered = generator.get("mode_coverage")
        return (
            full_stop(near)
            if covered is None
            else _("{near} and stand for {covered} of members kept aside.").format(near=near, covered=percent(covered))
        )
    return _("Simple random draws are nearer to the real members ({simple}) than the generator ({ours}).").format(
        simple=number(simple), ours=number(ours)
    )


def updater_answer(updater: Mapping[str, Any]) -> str:
    """Say what updating users after every event changes, with the number of events it was measured on."""
    rates = updater.get("hit_rate@10") or {}
    if not updater.get("n_events") or "frozen" not in rates or "updated" not in rates:
        return _("Live updates were not evaluated in this run.")
    before, after = rates["frozen"], rates["updated"]
    said = percents(before, after)
    change = _("the next item is in the first ten for {after} of events instead of {before}").format(
        after=said[1], before=said[0]
    )
    if too_few(updater.get("n_users")):
        return _("Tried on {users}: {too_few} whether updating users after every event pays.").format(
            users=plural(updater["n_users"], "user"), too_few=_(TOO_FEW)
        )
    pays = _("Updating users after every event pays: {change} ({events}).")
    not_here = _("Updating users after every event does not pay here: {change} ({events}).")
    open_yet = _("Updating users after every event is not proven to pay: {change} ({events}).")
    low, high = rates.get("updated_over_frozen_interval") or (math.nan, math.nan)
    said_of = open_yet if low <= 1 <= high else pays if after > before else not_here
    return said_of.format(change=change, events=plural(updater["n_events"], "event"))


def profile_answer(profile: Mapping[str, float]) -> str:
    """Say how much better than popularity the profile expects held-out items (geometric mean over users)."""
    if "nll_vae" not in profile or "nll_popularity" not in profile:
        return _("The profile was not evaluated in this run.")
    factor = math.exp(profile["nll_popularity"] - profile["nll_vae"])
    more = _("Held-out items get {factor} times the probability that their popularity alone gives them.")
    less = _("Held-out items get only {factor} times the probability that their popularity alone gives them.")
    said = (more if factor > 1 else less).format(factor=ratio(factor))
    if "nll_plain" not in profile:
        return _("{said} What knowing the groups adds to that, only the presets standard and thorough measure.").format(
            said=said
        )
    groups = math.exp(profile["nll_plain"] - profile["nll_vae"])
    if abs(groups - 1) < SMALL_FACTOR:
        return _("{said} Knowing the groups adds nothing to that.").format(said=said)
    raises, lowers = _("Knowing the groups raises it {times} times."), _("Knowing the groups lowers it {times} times.")
    return passage(said, (raises if groups > 1 else lowers).format(times=ratio(max(groups, 1 / groups))))
