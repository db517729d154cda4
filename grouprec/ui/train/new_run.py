"""The choices of a new run: how thorough, how many groups, which stages with which settings, which lists."""

from __future__ import annotations

from typing import Any

import streamlit as st

from grouprec.core.language import Glossary, _, commas, current
from grouprec.core.types import SettingError, StorageError
from grouprec.live.feedback import verdicts
from grouprec.models.base import REGISTRIES
from grouprec.models.fitting import device_title, resolve_device
from grouprec.report.sentences import encoder_title
from grouprec.runs.config import PRESET_SEARCH_MINUTES, RunConfig, auto_encoders, menu
from grouprec.runs.store import Run
from grouprec.ui import state
from grouprec.ui.cards import plain
from grouprec.ui.forms import form
from grouprec.ui.train import watch
from grouprec.ui.train.rules import list_rules

REGIMES = Glossary({"strict": "Everybody sees the same items", "dedup": "Each member skips what they have"})
STAGE_LABELS = Glossary({"grouper": "How groups are formed"})
DEVICES = Glossary({"cpu": "Processor", "cuda": "GPU", "mps": "GPU (Apple)"})


def choose_more(dataset: str, preset: str, opened: bool) -> dict[str, Any]:
    """Draw the choices that most runs leave alone and return those of the run.

    Args:
        dataset: what the data is called; with the preset it is the run's title where none is given.
        opened: whether they show at first.
    Returns:
        the choices of a run; ``settings`` holds what was changed in its stages.
    """
    with st.expander(_("More choices: number of groups, what is learned, rules for lists"), expanded=opened):
        left, right = st.columns(2, gap="large")
        with left:
            n_groups = choose_n_groups()
            repeats = st.toggle(
                _("List what people already have, too"),
                key="train_repeats",
                persist_state="session",
                help=_(
                    "For what people take again and again, as in a supermarket. Otherwise only new items are listed."
                ),
            )
        with right:
            encoders = choose_encoders(preset)
            search_minutes = choose_search(preset)
            device = choose_device()
        usual = f"{dataset}, {preset}"[:100] + (
            _(", {n_groups} groups").format(n_groups=n_groups) if n_groups != "auto" else ""
        )
        title = st.text_input(_("Title"), placeholder=usual, max_chars=120, key="train_title").strip() or usual
        choices = {"title": title, "preset": preset, "n_groups": n_groups, "device": device, "encoders": encoders}
        choices |= {"repeats": repeats, "search_minutes": search_minutes}
        with st.expander(_("Advanced settings")):
            return choices | choose_advanced(preset, encoders)


def choose_preset() -> str:
    preset = st.segmented_control(
        _("How thorough"),
        list(watch.PRESET_MEANING),
        default="quick",
        required=True,
        format_func=watch.PRESETS.__getitem__,
        key="train_preset",
        persist_state="session",
    )
    st.caption(watch.PRESET_MEANING[preset])
    return preset


def choose_n_groups() -> int | str:
    kinds = {"auto": _("Automatic"), "fixed": _("A number")}
    kind = st.segmented_control(
        _("Groups"),
        list(kinds),
        default="auto",
        required=True,
        format_func=kinds.__getitem__,
        key="train_groups",
        persist_state="session",
        help=_("Automatic tries a range on held-out data and keeps the number beyond which lists hardly get better."),
    )
    if kind == "auto":
        return "auto"
    return st.number_input(_("Number of groups"), 1, 500, 10, key="train_n_groups", persist_state="session")


@st.cache_resource(show_spinner=False)
def devices(language: str) -> dict[str, str]:
    """Return the devices of this machine with their names for people, who read a language."""
    names = {"auto": _("Automatic: {device}").format(device=_(device_title(resolve_device("auto"))))}
    for device, title in DEVICES.items():
        try:
            names[resolve_device(device)] = title
        except SettingError:
            continue
    return names


def choose_device() -> str:
    names = devices(current())
    return st.selectbox(
        _("Device"), list(names), format_func=names.__getitem__, key="train_device", persist_state="session"
    )


def choose_encoders(preset: str) -> tuple[str, ...]:
    """Return the encoders to train: ("auto",), or those chosen."""
    given = state.current_dataset().given
    titles = {name: title for name, title in menu()["encoder"] if encoder_needs(name) in ("", *given)}
    kinds = {"auto": _("Automatic"), "chosen": _("My choice")}
    kind = st.segmented_control(
        _("Encoders"),
        list(kinds),
        default="auto",
        required=True,
        format_func=kinds.__getitem__,
        key="train_encoding",
        persist_state="session",
        help=_(
            "Encoders learn what each user prefers. Several are blended: held-out data decide how much each counts."
        ),
    )
    automatic = auto_encoders(preset, given)
    if kind == "auto":
        *most, last = map(encoder_title, automatic)
        st.caption(_("Trains and blends {most} and {last}.").format(most=commas(most), last=last))
        return ("auto",)
    chosen = st.pills(
        _("Encoders to train"),
        list(titles),
        selection_mode="multi",
        default=list(automatic),
        format_func=lambda name: short_title(titles[name]),
        key="train_encoders",
        wrap=True,
        persist_state="session",
        label_visibility="collapsed",
    )
    if not chosen:
        st.caption(_("None is chosen, so the run decides itself."))
    return tuple(chosen) or ("auto",)


def encoder_needs(name: str) -> str:
    """Return which file an encoder needs beside the interactions, "" for none."""
    return REGISTRIES["encoder"].get(name).needs


def short_title(title: str) -> str:
    """Return ``EASE`` for "EASE: linear item-item model"."""
    return plain(title.partition(":")[0])


def choose_search(preset: str) -> float:
    """Return how many minutes better settings may be searched; quick runs do not search."""
    if preset == "quick":
        return 0.0
    return st.number_input(
        _("Minutes to search better settings"),
        0.0,
        600.0,
        PRESET_SEARCH_MINUTES.get(preset, 0.0),
        1.0,
        format="%g",
        key=f"train_search.{preset}",
        persist_state="session",
        help=_(
            "Shared by the encoders whose settings are not changed below; 0 keeps the preset's. "
            "The seed fixes what is tried, the time how much."
        ),
    )


def choose_advanced(preset: str, encoders: tuple[str, ...]) -> dict[str, Any]:
    """Draw the rarely needed choices and return them."""
    left, middle, right = st.columns(3)
    choices: dict[str, Any] = {
        "regime": left.selectbox(
            _("How a list is used"), list(REGIMES), format_func=REGIMES.__getitem__, key="train_regime"
        ),
        "seed": middle.number_input(
            _("Seed"), 0, 2**31 - 1, 0, key="train_seed", help=_("Same seed, same result on a CPU.")
        ),
        "refit": right.toggle(
            _("Learn the final lists from all rows"),
            preset != "quick",
            key=f"train_refit.{preset}",
            help=_("After the evaluation on held-out rows, everything is fitted again on all rows."),
        ),
    }
    kinds, given = ("grouper", "profile", "generator", "updater"), state.current_dataset().given
    choices |= {kind: choose_stage(kind) for kind in kinds}
    stages = [("encoder", name) for name in (auto_encoders(preset, given) if encoders == ("auto",) else encoders)]
    stages += [(kind, choices[kind]) for kind in kinds]
    return choices | {"feedback": choose_feedback(), "rules": list_rules(), "settings": choose_settings(preset, stages)}


def _was_judged(run: Run) -> bool:
    """Whether somebody said something of a run's lists; what cannot be read is not offered."""
    try:
        return len(verdicts(run)) > 0
    except StorageError:
        return False


def choose_feedback() -> str:
    """Offer the runs on which people said what they like, where there are some; return the chosen one's id, or ""."""
    runs = [run for run in state.store().runs() if run.usable and _was_judged(run)]
    if not runs:
        return ""
    titles = {"": _("None"), **{run.run_id: f"{run.title()} ({run.run_id})" for run in runs}}
    return st.selectbox(
        _("Feedback that counts"),
        list(titles),
        format_func=lambda name: _(titles[name]),
        key="train_feedback",
        help=_("Likes, dislikes and hidden items of that run's lists change what its users are predicted to want."),
    )


def choose_settings(preset: str, stages: list[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Draw one form a stage, each in a tab, and return what was changed in them."""
    st.markdown(_("**Settings of the stages**"))
    settings = {}
    tabs = st.tabs([short_title(_(REGISTRIES[kind].get(name).title)) for kind, name in stages])
    for tab, (kind, name) in zip(tabs, stages, strict=True):
        with tab:
            changed = form(REGISTRIES[kind].get(name).Config.for_preset(preset), f"train.{preset}.{kind}.{name}")
            if changed:
                settings[name] = changed
    return settings


def choose_stage(kind: str) -> str:
    """Offer the stages of a kind, where there is something to choose."""
    titles = dict(menu()[kind])
    if len(titles) == 1:
        return next(iter(titles))
    index = list(titles).index(RunConfig.model_fields[kind].default)
    return st.selectbox(
        STAGE_LABELS.get(kind) or _(kind.capitalize()),
        list(titles),
        index,
        format_func=lambda name: _(titles[name]),
        key=f"train_{kind}",
        persist_state="session",
    )
