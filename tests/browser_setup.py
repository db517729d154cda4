"""``python -m tests.browser_setup``: makes sure that a Chromium is there for the browser tests.

Installs Debian's with apt where none is found and it may. In CI a missing browser is a failure; elsewhere the
browser tests are skipped with that reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """Return the path of an installed Chromium or Chrome; $GROUPREC_BROWSER comes first."""
    given = os.environ.get("GROUPREC_BROWSER")
    return given or next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> int:
    if find_browser() is None and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
    if find_browser() is None:
        sys.stderr.write("No Chromium found; install Debian's package chromium or set GROUPREC_BROWSER.\n")
        return 1 if os.environ.get("CI") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
