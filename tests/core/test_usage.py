"""When somebody last used what lies in a folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

from grouprec.core.usage import FILE, OFTEN, last_used, use


def test_before_uses_were_noted_the_newest_file_tells_and_then_the_last_use(tmp_path: Path) -> None:
    assert last_used(tmp_path / "none") == 0.0
    (tmp_path / "old").touch()
    (tmp_path / "new").touch()
    os.utime(tmp_path / "old", (1000, 1000))
    os.utime(tmp_path / "new", (2000, 2000))
    assert last_used(tmp_path) == 2000 == last_used(tmp_path / "new")
    use(tmp_path)
    assert abs(last_used(tmp_path) - time.time()) < 60


def test_a_use_is_written_once_an_hour_and_never_an_error(tmp_path: Path) -> None:
    use(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    use(tmp_path)
    for ago, written in ((OFTEN / 2, False), (OFTEN * 2, True), (-OFTEN * 2, True)):  # a clock that was ahead, too
        then = time.time() - ago
        os.utime(tmp_path / FILE, (then, then))
        use(tmp_path)
        assert (abs((tmp_path / FILE).stat().st_mtime - then) > 1) == written
