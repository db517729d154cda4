"""Settings -> widgets: a form is made from the fields of a pydantic model, their bounds and descriptions."""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from grouprec.core.language import _
from grouprec.ui.cards import plain


@dataclass(frozen=True)
class FieldSpec:
    """What a widget needs to know about one setting.

    Attributes:
        kind: "bool", "int", "float", "choice" or "text".
        low, high: bounds of a number, None where there is none; exclusive bounds are moved inwards.
        options: the values of a choice.
        optional: whether None is allowed.
    """

    name: str
    label: str
    help: str
    kind: str
    low: float | None = None
    high: float | None = None
    options: tuple[Any, ...] = ()
    optional: bool = False


def describe(model: type[BaseModel]) -> list[FieldSpec]:
    """Return one FieldSpec a field, in the order of declaration; fields of other types are left out."""
    specs = (_spec(name, field) for name, field in model.model_fields.items())
    return [spec for spec in specs if spec is not None]


def _spec(name: str, field: FieldInfo) -> FieldSpec | None:
    annotation, optional = _without_none(field.annotation)
    kind = _kind(annotation)
    if kind is None:
        return None
    low, high = _bounds(field, step=1 if kind == "int" else 1e-6)
    options = get_args(annotation) if kind == "choice" else ()
    label = name.replace("_", " ").capitalize()
    return FieldSpec(name, label, field.description or "", kind, low, high, options, optional)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """Return the type inside ``X | None`` and whether None is allowed."""
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        if len(rest) == 1:
            return rest[0], len(rest) < len(get_args(annotation))
    return annotation, False


def _kind(annotation: Any) -> str | None:
    if get_origin(annotation) is Literal:
        return "choice"
    return {bool: "bool", int: "int", float: "float", str: "text"}.get(annotation)


def _bounds(field: FieldInfo, step: float) -> tuple[float | None, float | None]:
    low = high = None
    for rule in field.metadata:
        low = getattr(rule, "ge", low)
        high = getattr(rule, "le", high)
        if getattr(rule, "gt", None) is not None:
            low = rule.gt + step
        if getattr(rule, "lt", None) is not None:
            high = rule.lt - step
    return low, high


def changed(values: Mapping[str, Any], base: BaseModel) -> dict[str, Any]:
    """Return the values that differ from the base: only these go into a run's settings."""
    return {name: value for name, value in values.items() if value != getattr(base, name)}


def form(
    base: BaseModel,
    key: str,
    *,
    start: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    options: Mapping[str, Mapping[str, str]] | None = None,
    columns: int = 3,
    leave_out: Collection[str] = (),
) -> dict[str, Any]:
    """Draw a widget for every setting and return the values that differ from the base.

    Args:
        base: the defaults (of a preset, say).
        key: distinguishes this form's widgets; another key starts from the base again.
        start: values to start from where they differ from the base.
        labels: what a setting is called where its name does not say it well.
        options: by setting, what its choices are called where their names do not say it well.
        columns: widgets side by side.
        leave_out: settings that are drawn elsewhere.
    """
    first = {**base.model_dump(), **(start or {})}
    values: dict[str, Any] = {}
    specs = [replace(spec, label=(labels or {}).get(spec.name, spec.label)) for spec in describe(type(base))]
    specs = [spec for spec in specs if spec.name not in leave_out]
    for at in range(0, len(specs), columns):
        row = st.columns(columns, vertical_alignment="bottom")
        for column, spec in zip(row, specs[at : at + columns], strict=False):
            with column:
                values[spec.name] = _widget(
                    spec, first[spec.name], f"{key}.{spec.name}", (options or {}).get(spec.name, {})
                )
    return changed(values, base)


def _widget(spec: FieldSpec, value: Any, key: str, called: Mapping[str, str]) -> Any:
    label, about = plain(_(spec.label)), plain(_(spec.help)) or None
    if spec.kind == "bool":
        return st.toggle(label, value, key=key, help=about, persist_state="session")
    if spec.kind == "choice":
        options = list(spec.options)
        index = options.index(value) if value in options else 0

        def said(option: Any) -> str:
            return called.get(option) or str(option)

        return st.selectbox(label, options, index, key=key, help=about, format_func=said, persist_state="session")
    if spec.kind == "text":
        text = st.text_input(label, value or "", key=key, help=about, persist_state="session")
        return text or (None if spec.optional else "")
    return _number(spec, value, key, label, about)


def _number(spec: FieldSpec, value: Any, key: str, label: str, about: str | None) -> Any:
    """Draw a number field; an optional one may be left empty."""
    cast = int if spec.kind == "int" else float
    low = None if spec.low is None else cast(spec.low)
    high = None if spec.high is None else cast(spec.high)
    value = None if value is None else cast(value)
    step = 1 if cast is int else _step(value)
    return st.number_input(
        label,
        low,
        high,
        value,
        step,
        format=None if cast is int else "%.6g",
        key=key,
        help=about,
        placeholder=_("none") if spec.optional else None,
        persist_state="session",
    )


def _step(value: float | None) -> float:
    """Return a step that suits the size of a number: 0.1 for 0.5, 0.0001 for 0.0005."""
    if not value:
        return 0.1
    digits = len(f"{abs(value):e}".split("e")[0].rstrip("0"))
    exponent = int(f"{abs(value):e}".split("e")[1])
    return 10.0 ** (exponent if digits <= 2 else exponent - 1)


def weights_form(weights: Mapping[str, float], key: str) -> dict[str, float]:
    """Draw one number field a name, four side by side, and return the weights as they stand."""
    grid = st.columns(4)
    values = {}
    for at, (name, weight) in enumerate(weights.items()):
        with grid[at % 4]:
            values[name] = st.number_input(
                plain(name), 0.0, 1e6, float(weight), 0.5, format="%.6g", key=f"{key}.{name}", persist_state="session"
            )
    return values
