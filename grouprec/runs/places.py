"""Where things lie in a run folder: the one place that names its files."""

from __future__ import annotations

from pathlib import Path

LEDGER = "ledger.sqlite"  # of all events that were sent to a run
LIVE_STATE = "snapshot.safetensors"  # after some of them
SNAPSHOT = "live/final.safetensors"
FACTS = "live/final.items.safetensors"
FITTED = "fitted.json"
FORGOTTEN = "forgotten.json"  # who was removed since the training


class RunFolder:
    """A folder of the store that holds one run, whole or not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run_id = path.name

    @property
    def live(self) -> Path:
        """Return the folder that streams of events start from and live in."""
        return self.path / "live"

    def snapshot(self, fit: str = "final") -> Path:
        """Return the file of what a fit ("final", which is exported, or "judged") knows of its users."""
        return self.live / f"{fit}.safetensors"

    @property
    def item_facts(self) -> Path:
        """Return the file of what the final fit knows of items."""
        return self.path / FACTS

    @property
    def ledger(self) -> Path:
        """Return the file of all events that were sent to the run."""
        return self.live / LEDGER

    @property
    def live_state(self) -> Path:
        """Return the file of what the events have made of the run so far; where it is, there was a ledger."""
        return self.live / LIVE_STATE

    @property
    def fitted(self) -> Path:
        """Return the file that names the stages of every fit."""
        return self.path / FITTED
