"""Training behind a progress bar: here, here with others that ``torchrun`` started, or on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grouprec.cli.terminal import Remarks, progress_bar, terminal
from grouprec.core import libraries
from grouprec.core.environment import place_among, started_together
from grouprec.core.errors import SettingError
from grouprec.runs.progress import Watch
from grouprec.runs.store import Run, RunStore

if TYPE_CHECKING:
    from grouprec.runs.config import RunConfig

PIPELINE = "grouprec.training.pipeline"


def helps() -> bool:
    """Where ``torchrun`` started several processes, help the first one; return whether that was all there is to do."""
    if not started_together() or place_among("RANK") == 0:
        return False
    from grouprec.models import together

    with together.crew():
        return True


def reading_first(
    settings: dict[str, dict[str, Any]], encoding: str, sheet: str, pseudonyms: bool
) -> dict[str, dict[str, Any]]:
    """Return the settings with how the file is read among those of the data."""
    told = {"encoding": encoding, "sheet": sheet, "pseudonyms": pseudonyms}
    chosen = {name: value for name, value in told.items() if value}
    return {**settings, "data": {**chosen, **settings.get("data", {})}} if chosen else settings


def refuse_unreadable(config: RunConfig) -> None:
    """Check that the files of a run can be read, and that there is a secret where ids become pseudonyms.

    Raises:
        DataError: a file cannot be read.
        SettingError: a role fits no column, or there is no secret.
    """
    from grouprec.data.preparing.finding import find_roles, reading_of
    from grouprec.data.preparing.pseudonyms import id_key
    from grouprec.data.reading.read import peek

    if config.preparation.pseudonyms:
        id_key()
    for file in config.files[1:]:
        peek(file)
    find_roles(config.interactions, config.roles, reading_of(config.preparation))


def refuse_too_large(config: RunConfig) -> None:
    """Check that a run fits this machine, where it is trained here.

    Raises:
        SettingError: it needs more memory than the machine has.
    """
    from grouprec.data.preparing.finding import reading_of
    from grouprec.training import executor

    if executor.elsewhere():
        return
    libraries.load(PIPELINE)
    from grouprec.training import cost
    from grouprec.training.size import size_of

    file = config.interactions, config.roles, config.preparation.min_item_users, reading_of(config.preparation)
    size = size_of(*file)
    sentence = cost.refusal(config, size)
    if sentence and not size.counted:  # nothing is refused on a guess
        sentence = cost.refusal(config, size_of(*file, whole=True))
    if sentence:
        raise SettingError(f"{sentence} --anyway trains it all the same.")


def train_run(store: RunStore, run: Run) -> dict[str, Any]:
    """Train a run behind a progress bar and return its metrics."""
    with progress_bar() as bar:
        task = bar.add_task("starting", total=1.0)
        remarks, reached = Remarks(run), ""

        def watch(stage: str, fraction: float, seconds_left: float | None) -> None:
            nonlocal reached
            bar.update(task, description=stage, completed=fraction)
            if stage != reached:
                reached = stage
                remarks.tell()

        return _train(store, run, watch)


def demo_run(store: RunStore) -> Run:
    """Return a finished run of preset quick on the bundled sample; it is trained where there is none yet."""
    from grouprec.data.library import SAMPLE_NAME, Library
    from grouprec.runs.config import make_config

    sample = Library(store.root / "datasets").sample()
    config = make_config(title="Demo", dataset=SAMPLE_NAME, interactions=sample.interactions, preset="quick")
    for run in store.runs():
        if run.usable and run.trained_as(config):
            terminal.print(f"Using the run {run.run_id} trained before.", highlight=False)
            return run
    terminal.print(f"Training preset quick on {SAMPLE_NAME} into {store.root}.", markup=False, highlight=False)
    run = store.create(config)
    train_run(store, run)
    return run


def _train(store: RunStore, run: Run, watch: Watch) -> dict[str, Any]:
    from grouprec.training import executor, jobs

    if executor.elsewhere():
        return jobs.train_there(store, run, watch)
    if executor.on_workers():
        return executor.train_on_workers(store, run)
    libraries.load(PIPELINE)
    if not started_together():
        return jobs.train_here(store, run, watch)
    from grouprec.models import together

    with together.crew():
        return jobs.train_here(store, run, watch)
