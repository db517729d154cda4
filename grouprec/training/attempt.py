"""One attempt at a run in this process: whatever ends it, the status says what it was."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import traceback
from types import FrameType
from typing import Any, NoReturn

from grouprec.core.errors import GrouprecError, SettingError, StorageError, WorkerLostError
from grouprec.runs.progress import Progress, Watch, make_plan
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import executor
from grouprec.training.memory import memory_sentence


def attempt(store: RunStore, run: Run, watch: Watch | None) -> dict[str, Any]:
    """Train a run folder in this process and return its metrics.

    Raises:
        GrouprecError: the data, a setting or the runs folder cannot be used, or a worker was lost.
        KeyboardInterrupt: the run was cancelled (Ctrl-C or SIGTERM).
    """
    if threading.current_thread() is threading.main_thread():  # only there are signals heard
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        from grouprec.training.pipeline import train  # slow to import (torch): the status above is already true

        config = run.config()
        metrics = train(store, run, config, Progress(run, make_plan(config, store, run), watch))
    except KeyboardInterrupt:
        end(run, State.CANCELLED, "Cancelled.")
        raise
    except WorkerLostError as error:
        if executor.starts_again():
            run.set_status(message="A worker was lost; the cluster starts the workers again.")
        else:
            end(run, State.FAILED, str(error))
        raise
    except GrouprecError as error:
        end(run, State.FAILED, str(error))
        raise
    except Exception as error:
        if sentence := memory_sentence(error):
            end(run, State.FAILED, sentence)
            raise SettingError(sentence) from error
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        end(run, State.FAILED, f"Unexpected error: {type(error).__name__}: {words} (details in the log).")
        with contextlib.suppress(StorageError):  # people see both, and where the server keeps its files is not theirs
            run.add_log(traceback.format_exc().replace(f"{store.root.absolute()}{os.sep}", ""))
        raise
    end(run, State.DONE, "")
    return metrics


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def end(run: Run, state: State, message: str) -> None:
    """Write the last status. Where even that fails (full disk), the ended process says it: the run counts as lost."""
    changes: dict[str, Any] = {"fraction": 1.0} if state is State.DONE else {}
    with contextlib.suppress(StorageError):
        run.set_status(state=state, message=message, seconds_left=None, ended=time.time(), **changes)
