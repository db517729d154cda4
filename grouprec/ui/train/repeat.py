"""Repeat a run with one change: the form of a new run filled with what another run was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from grouprec.core.language import _, current
from grouprec.core.types import GrouprecError, SettingError
from grouprec.data.library_files import KnownDataset
from grouprec.runs.config import PRESET_REFIT, PRESET_SEARCH_MINUTES, RunConfig
from grouprec.runs.same_data import same_rows
from grouprec.runs.store import Run
from grouprec.ui import state
from grouprec.ui.cards import plain
from grouprec.ui.train import watch
from grouprec.ui.train.new_run import devices

BASIS = "train_basis"  # the id of the run that the form was filled from


def fill(run: Run) -> None:
    """Fill the form with a run's choices and choose its data; a callback, so that the widgets are not drawn yet.

    What cannot be taken over is said on the page: data that is no longer there, a run of another version.
    """
    try:
        config = run.config()
        entry = _dataset(config)
    except GrouprecError as error:
        st.session_state["train_problem"] = str(error)
        return
    state.choose_dataset(entry.key)
    for key, value in _widgets(config).items():
        st.session_state[key] = value
    st.session_state[BASIS] = run.run_id


def _dataset(config: RunConfig) -> KnownDataset:
    """Return the dataset that a run was trained on.

    Raises:
        SettingError: it is not in the library, as after `grouprec train` on a file of one's own.
    """
    for entry in state.library().list():
        if entry.interactions == config.interactions:
            return entry
    name = Path(config.interactions).name
    raise SettingError(f"The file '{name}' is not among the datasets; add it on the Data page, then repeat the run.")


def _widgets(config: RunConfig) -> dict[str, Any]:
    """Return the values of the form's widgets by their keys."""
    preset, rules, automatic = config.preset, config.rules, config.encoders == ("auto",)
    values: dict[str, Any] = {
        "train_preset": preset,
        "train_groups": "auto" if config.n_groups == "auto" else "fixed",
        "train_repeats": config.repeats,
        "train_encoding": "auto" if automatic else "chosen",
        f"train_search.{preset}": config.search_minutes or PRESET_SEARCH_MINUTES.get(preset, 0.0),
        f"train_refit.{preset}": config.refit if config.refit is not None else PRESET_REFIT[preset],
        "train_title": "",
        "train_regime": config.regime,
        "train_seed": config.seed,
        "train_strategy": rules.strategy,
        "train_diversity": rules.diversity,
        "train_new_items": rules.new_items,
        "train_owned_share": round(100 * rules.owned_share),
    }
    values |= {f"train_{name}": list(getattr(rules, name)) for name in ("label_words", "categories", "items")}
    values |= {f"train_{kind}": getattr(config, kind) for kind in ("grouper", "profile", "generator", "updater")}
    if config.n_groups != "auto":
        values["train_n_groups"] = config.n_groups
    if not automatic:
        values["train_encoders"] = list(config.encoders)
    if config.device in devices(current()):
        values["train_device"] = config.device
    for kind, name in config.chosen():
        settings = config.stage_config(kind, name).model_dump()
        values |= {f"train.{preset}.{kind}.{name}.{field}": value for field, value in settings.items()}
    return values


def basis() -> Run | None:
    """Return the run that the form was filled from, None where it was not or the run is gone."""
    return state.find_run(st.session_state.get(BASIS))


def preparation(dataset: KnownDataset, run: Run | None) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the roles and preparation of a new run: those of the run that is repeated, else the dataset's."""
    if run is None or not same_rows(run, dataset):
        return dataset.roles, dataset.preparation
    choices = state.run_choices(run)
    return choices.get("roles", {}), choices.get("preparation", {})


def draw_basis(run: Run | None, config: RunConfig | None) -> None:
    """Say what is repeated and what is changed so far, with a way out; and what could not be repeated."""
    problem = st.session_state.pop("train_problem", "")
    if problem:
        st.error(plain(problem))
    if run is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        found = watch.changes(state.run_choices(run), config.model_dump(mode="json")) if config is not None else []
        text = _("Filled from “{title}”. {found}").format(title=run.title(), found=watch.changes_sentence(found))
        st.markdown(f":material/content_copy: {plain(text)}", width="stretch")
        st.button(_("Start from scratch"), key="forget_basis", on_click=forget)


def forget() -> None:
    """Put the form back to its defaults."""
    for key in [key for key in st.session_state if str(key).startswith(("train_", "train."))]:
        del st.session_state[key]
