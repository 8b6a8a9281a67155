"""Where the program keeps its files on the user's machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def home() -> Path:
    """`RANSCORE_HOME`, or the platform's data folder."""
    if named := os.environ.get("RANSCORE_HOME"):
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "ranscore"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "ranscore"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "ranscore"
