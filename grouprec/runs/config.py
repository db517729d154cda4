"""Everything needed to repeat a run, checked once at the door."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import grouprec.models.menu  # noqa: F401  # fills the registries
from grouprec.core.types import Regime, SettingError
from grouprec.data.preparing.clean import Preparation
from grouprec.models.base import REGISTRIES, Stage, StageConfig, encoders
from grouprec.ranking.rules import ListRules

Preset = Literal["quick", "standard", "thorough"]
PRESET_SEARCH_MINUTES = {"thorough": 5.0}
PRESET_REFIT: dict[str, bool] = {"quick": False, "standard": True, "thorough": True}


def auto_encoders(preset: str, given: Collection[str] = ()) -> tuple[str, ...]:
    """Return what "auto" trains where the data allow it, each encoder in its turn.

    Validation gives each the weight that it earns, so a poor one costs time and no quality.

    Args:
        given: which of the files beside the interactions there are, "also" and "edges": encoders may need one.
    """
    there = {"", *given}
    turns = (
        (cls.auto.turn, name) for name, cls in encoders.items() if preset in cls.auto.presets and cls.needs in there
    )
    return tuple(name for _, name in sorted(turns))


class RunConfig(BaseModel):
    """A run's choices. ``settings`` holds, per stage name, only what differs from the preset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    title: str = Field("", max_length=120, description="What the run is called in lists")
    dataset: str = Field("", max_length=200, description="What the data is called in lists")
    interactions: Path = Field(description="The interactions file")
    users: Path | None = Field(None, description="Optional file of user attributes")
    items: Path | None = Field(None, description="Optional file of item attributes")
    also: Path | None = Field(None, description="Optional second file of interactions of the same users: evidence only")
    edges: Path | None = Field(None, description="Optional file of who knows whom: two columns of user ids")
    roles: dict[str, str] = Field(default_factory=dict, description="Column roles that differ from the detected ones")
    preparation: Preparation = Field(default_factory=Preparation, description="How the file is cleaned and split")
    preset: Preset = Field("standard", description="How long training may take")
    n_groups: int | Literal["auto"] = Field("auto", description="Number of groups")
    encoders: tuple[str, ...] = Field(
        ("auto",), min_length=1, description="What predicts preferences; validation decides how much each one counts"
    )
    search_minutes: float = Field(0.0, ge=0, le=10_000, description="Time to search better settings of the encoders")
    grouper: str = Field("lists", description="How groups are formed")
    profile: str = Field("vae", description="How a group becomes a distribution")
    generator: str = Field("gan", description="How virtual members are drawn")
    updater: str = Field("gru", description="How users move with new events")
    regime: Regime = Field("strict", description="Which use of a list the groups are formed for")
    repeats: bool = Field(False, description="Items that a user has already may be listed, and count when judged")
    rules: ListRules = Field(default_factory=ListRules, description="Aggregation, diversity and exclusions")
    feedback: str = Field("", description="The run whose likes, dislikes and hidden items count here, too")
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Stage settings beside the preset")
    layout: Literal["umap", "pca"] = Field("umap", description="How the map is drawn; PCA is instant and coarser")
    seed: int = Field(0, ge=0, lt=2**31, description="Every random number comes from it")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where to train")
    refit: bool = Field(True, description="Learn the final lists from all rows after the evaluation")

    @property
    def files(self) -> tuple[Path, ...]:
        """Return every file that the run reads."""
        named = (self.interactions, self.users, self.items, self.also, self.edges)
        return tuple(path for path in named if path is not None)

    @property
    def given(self) -> tuple[str, ...]:
        """Return which of the files beside the interactions there are that encoders may need."""
        return tuple(name for name in ("also", "edges") if getattr(self, name) is not None)

    @property
    def grouping_regime(self) -> Regime:
        """Return what groups are formed for; with repeats nobody skips anything, so one list for all."""
        return "strict" if self.repeats else self.regime

    @property
    def list_method(self) -> dict[Regime, str]:
        """Return the kind of list that is exported, by regime: the members' mean, or the strategy named."""
        method = "members_mean" if self.rules.strategy == "utility" else self.rules.strategy
        return {"strict": method, "dedup": method}

    def chosen(self) -> list[tuple[str, str]]:
        """Return (kind, name) of every stage of this run, in the order of the pipeline."""
        single = [(kind, getattr(self, kind)) for kind in ("grouper", "profile", "generator", "updater")]
        names = auto_encoders(self.preset, self.given) if self.encoders == ("auto",) else self.encoders
        return [("encoder", name) for name in names] + single

    def trained_in(self, step: str) -> type[Stage] | None:
        """Return the stage that a step of the plan trains ("judge: encoder ease", "groups"), None where it is none."""
        said = step.rpartition(": ")[2]
        for kind, name in self.chosen():
            if said == {"encoder": f"encoder {name}", "grouper": "groups"}.get(kind, kind):
                return REGISTRIES[kind].get(name)
        return None

    def stage_config(self, kind: str, name: str) -> StageConfig:
        """Return the settings of a stage: its preset with this run's changes on top.

        Raises:
            SettingError: unknown stage or setting, or a value out of bounds.
        """
        base = REGISTRIES[kind].get(name).Config.for_preset(self.preset)
        changes = self.settings.get(name, {})
        try:
            return type(base)(**{**base.model_dump(), **changes})
        except ValidationError as error:
            raise SettingError(_sentence(error, name)) from None


# What --set calls them, and what changes: a field of RunConfig with settings of its own
SETTING_GROUPS: dict[str, tuple[str, type[BaseModel]]] = {
    "data": ("preparation", Preparation),
    "rules": ("rules", ListRules),
}


def make_config(**choices: Any) -> RunConfig:
    """Return a checked run configuration.

    Args:
        choices: fields of :class:`RunConfig`; ``refit`` and ``search_minutes`` None take the preset's default; a
            ``settings`` entry named "data" changes the preparation, one named "rules" how lists are made.
    Raises:
        SettingError: an unknown stage, setting or value; one sentence.
    """
    settings = {name: dict(values) for name, values in dict(choices.get("settings") or {}).items()}
    for group, (name, model) in SETTING_GROUPS.items():
        given = settings.pop(group, {})
        own = _fields_of_stage(group, choices)  # the grouper "rules" and the rules for lists are called alike
        if of_stage := {field: value for field, value in given.items() if field in own}:
            settings[group] = of_stage
        if changes := {field: value for field, value in given.items() if field not in own}:
            base = choices.get(name) or model()
            choices[name] = {**base.model_dump(), **changes}
    choices["settings"] = settings
    if choices.get("search_minutes") is None:
        choices["search_minutes"] = PRESET_SEARCH_MINUTES.get(str(choices.get("preset", "standard")), 0.0)
    if choices.get("refit") is None:
        choices["refit"] = PRESET_REFIT.get(str(choices.get("preset", "standard")), True)
    try:
        config = RunConfig(**choices)
    except ValidationError as error:
        raise SettingError(_sentence(error, "")) from None
    if isinstance(config.n_groups, int) and config.n_groups < 1:
        raise SettingError(f"The number of groups must be 1 or more, not {config.n_groups}.")
    names = {name for _, name in config.chosen()}
    for kind, name in config.chosen():
        config.stage_config(kind, name)
        needs = getattr(REGISTRIES[kind].get(name), "needs", "")
        if needs and needs not in config.given:
            raise SettingError(f"The encoder '{name}' needs a file that this run does not have: --{needs} FILE.")
    for name in settings:
        if name not in names:
            raise SettingError(
                f"No stage called '{name}' is part of this run; it has: data, rules, {', '.join(sorted(names))}."
            )
    return config


def _fields_of_stage(name: str, choices: Mapping[str, Any]) -> set[str]:
    """Return the settings of the chosen stage of that name; none where there is no such stage, or another is chosen."""
    chosen = (
        registry.get(name) for kind, registry in REGISTRIES.items() if name in registry and choices.get(kind) == name
    )
    return {field for stage in chosen for field in stage.Config.model_fields}


def parse_settings(pairs: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return ``{"dnn": {"epochs": "5"}}`` for ``["dnn.epochs=5"]``; values are read by the stage's Config.

    Raises:
        SettingError: an entry is not of the form stage.field=value.
    """
    settings: dict[str, dict[str, Any]] = {}
    for pair in pairs:
        left, equals, value = pair.partition("=")
        stage, dot, field = left.partition(".")
        if not (equals and dot and stage and field):
            raise SettingError(f"--set takes stage.field=value, e.g. dnn.epochs=5; '{pair}' is not of that form.")
        settings.setdefault(stage.strip(), {})[field.strip()] = value.strip()
    return settings


def menu() -> Mapping[str, list[tuple[str, str]]]:
    """Return (name, title) of every registered stage by kind."""
    return {kind: [(name, cls.title) for name, cls in registry.items()] for kind, registry in REGISTRIES.items()}


def _sentence(error: ValidationError, stage: str) -> str:
    """Turn pydantic's first finding into one sentence."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    given = repr(first["input"])[:60]
    if path[0] == "n_groups":
        return f"The number of groups (n_groups) is a whole number or auto, not {given}."
    name = ".".join(([stage] if stage else []) + path[:2]).replace("preparation.", "data.")
    if first["type"] == "extra_forbidden":
        known = _fields_near(stage, path)
        return f"There is no setting '{name}'; there are: {', '.join(known)}."
    return f"The setting '{name}' cannot be {given}: {first['msg'][0].lower()}{first['msg'][1:]}."


def _fields_near(stage: str, path: list[str]) -> list[str]:
    """Return the field names of the model that refused an unknown one."""
    for name, model in SETTING_GROUPS.values():
        if path[0] == name:
            return list(model.model_fields)
    for registry in REGISTRIES.values():
        if stage in registry:
            return list(registry.get(stage).Config.model_fields)
    return list(RunConfig.model_fields)
