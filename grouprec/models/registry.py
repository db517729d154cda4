"""Registries: names of stages and the classes behind them, filled by the files of the stages themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from grouprec.core.types import SettingError
from grouprec.models.declared import DECLARED, Words

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one kind of stage and the classes behind them, in order of registration."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._classes: dict[str, type[T]] = {}

    def register(
        self, name: str, *, title: str, cite: str, called: str = "", explained: str = "", measured: str = ""
    ) -> Callable[[type[Any]], type[Any]]:
        """Return a class decorator that puts the class on the menu.

        Args:
            name: what the user types, and what its file is called; unique within the kind.
            title, cite, called, explained, measured: plain strings, for :class:`~grouprec.models.declared.Words`.
        Raises:
            ValueError: the name is taken (names the first owner).
        """

        def decorate(cls: type[Any]) -> type[Any]:
            if name in self._classes:
                owner = self._classes[name]
                raise ValueError(f"{self.kind} '{name}' is already registered by {owner.__module__}.{owner.__name__}")
            cls.kind, cls.name, cls.title, cls.cite = self.kind, name, title, cite
            self._classes[name] = cls
            DECLARED[self.kind, name] = Words(title, cite, called, explained, measured)
            return cls

        return decorate

    def get(self, name: str) -> type[T]:
        """Return the class of that name.

        Raises:
            SettingError: no such stage; the message lists those there are.
        """
        if name not in self._classes:
            raise SettingError(f"There is no {self.kind} called '{name}'; choose one of: {', '.join(self)}.")
        return self._classes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def items(self) -> Iterator[tuple[str, type[T]]]:
        return iter(self._classes.items())
