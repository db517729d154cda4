"""What the user can mend. Apart from :mod:`grouprec.core.types`, so that saying so needs no numpy."""

from __future__ import annotations


class GrouprecError(Exception):
    """Something the user can mend: the message is one clear sentence, shown as it is, exit status 2."""


class DataError(GrouprecError):
    """The given file or its content cannot be used; the message says where, which rule, and what to do."""


class SettingError(GrouprecError):
    """A setting, stage name or option is unknown or out of bounds."""


class StorageError(GrouprecError):
    """The runs folder cannot be read or written (permissions, full disk, damaged run)."""


class WorkerLostError(GrouprecError):
    """A process that learned with this one is gone (:mod:`grouprec.models.together`)."""


class BusyError(StorageError):
    """Another process, or another thread, holds what was asked for; later it may be free."""
