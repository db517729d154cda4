"""Encoders fitted where choices are made, each once."""

from __future__ import annotations

from copy import copy

from grouprec.data.dataset import Dataset
from grouprec.models.base import Encoder
from grouprec.models.fitting import RunOptions

_TUNING = ("tune", "tune_l2")  # settings by which an encoder tries others on the validation part


class Fits:
    """Encoders fitted on folds, each once. Fading counts when they are asked only, so it needs no other fit.

    Attributes:
        on_cpu: not on a GPU, whose memory is for one fit at a time.
    """

    def __init__(self, options: RunOptions) -> None:
        self._options, self.on_cpu = options, options.device == "cpu"
        self._made: dict[tuple[str, str, str], Encoder] = {}

    def get(self, encoder: Encoder, data: Dataset) -> Encoder:
        """Return an encoder fitted on the training part of a dataset without a validation part."""
        key = _key(encoder, data)
        if key not in self._made:
            self._made[key] = encoder.fit(data, self._options)
        return _with_settings(self._made[key], encoder)

    def put(self, encoder: Encoder, data: Dataset, fitted: Encoder) -> None:
        """Take what was fitted elsewhere for :meth:`get`."""
        self._made[_key(encoder, data)] = fitted

    def find(self, encoder: Encoder, data: Dataset) -> Encoder | None:
        """Return what :meth:`get` has fitted on a dataset's training part, if fitting on the dataset gives the same.

        None where nothing was fitted, or the validation part would have a say in it.
        """
        fields = type(encoder.config).model_fields
        asks = "epochs" in fields or any(getattr(encoder.config, name, False) for name in _TUNING)
        made = None if asks else self._made.get(_key(encoder, data.without_validation()))
        return made and _with_settings(made, encoder)

    def keep(self, encoder: Encoder) -> None:
        """Let go of all encoders of that name with other settings, for memory."""
        others = [key for key in self._made if key[1] == encoder.name and key[2] != _fitted_by(encoder)]
        for key in others:
            del self._made[key]


def _key(encoder: Encoder, data: Dataset) -> tuple[str, str, str]:
    return data.key, encoder.name, _fitted_by(encoder)


def _with_settings(fitted: Encoder, encoder: Encoder) -> Encoder:
    found = copy(fitted)
    found.config = encoder.config
    return found


def _fitted_by(encoder: Encoder) -> str:
    """Return the settings that a fit depends on, as JSON."""
    return encoder.config.model_dump_json(exclude={"fade"})
