"""Which column of a file of interactions is what: detected, with people's own choices put over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from grouprec.core.types import DataError
from grouprec.data.preparing.clean import Preparation, check_times
from grouprec.data.preparing.said import is_too_long, too_long
from grouprec.data.reading.read import Reading, peek
from grouprec.data.roles.columns import ChoiceError, Roles, apply_map
from grouprec.data.roles.detect import Detected, detect
from grouprec.data.roles.doubts import Doubt, column_doubts
from grouprec.data.values.common import shown
from grouprec.data.values.numerals import to_numbers
from grouprec.data.values.times import read_times


def reading_of(settings: Preparation) -> Reading:
    """Return what the settings say about reading the interactions file."""
    return Reading(settings.encoding, settings.sheet, settings.most_rejected)


def find_roles(interactions: Path, mapping: Mapping[str, str], reading: Reading | None = None) -> Roles:
    """Return the roles of a file's columns, looking at its head only; refuses a file of rubbish before it is read.

    Raises:
        ChoiceError: no column for user or item.
        DataError: none of the first times or weights can be read.
        SettingError: the mapping does not fit together.
    """
    return find_all(interactions, mapping, reading)[0]


def find_all(
    interactions: Path, mapping: Mapping[str, str], reading: Reading | None = None
) -> tuple[Roles, Detected, list[Doubt]]:
    """Return the roles, what they were found by, and what that leaves open; errors as :func:`find_roles`."""
    head = peek(interactions, reading)
    detected = detect(head.head)
    try:
        found = apply_map(detected.roles, mapping, head.columns, detected.refused)
    except ChoiceError as error:
        raise ChoiceError(error.role, error.columns, error.reasons, interactions.name) from error
    except DataError as error:
        raise DataError(f"'{interactions.name}': {error}") from error
    if found.time is not None:
        column = head.head[found.time]
        times = read_times(column)
        bad = np.isnan(times.seconds)
        if bad.all() and column.notna().any():
            check_times(column, bad, len(bad), times.outside)
    for role in ("weight", "rating"):
        name = getattr(found, role)
        values = head.head.iloc[:0, 0] if name is None else head.head[name].dropna()
        if len(values) and np.isnan(to_numbers(values)).all():
            raise DataError(
                f"'{interactions.name}': column '{name}' holds no numbers (such as '{shown(values.iloc[0])}'); "
                f"choose another with --map {role}=COLUMN or do without with --map {role}=."
            )
    doubts = column_doubts(head.head, detected, found, mapping)
    if found.text is not None and is_too_long(head.head[found.text], head.n_rows):
        doubts.append(too_long(found.text))
        found = replace(found, text=None)
    return found, detected, doubts
