"""Where things live on the user's machine, and the user's configuration."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

from harness.errors import InputError, Problem
from harness.types import Json


def home() -> Path:
    """`RANSCORE_HOME`, or the platform's data folder."""
    if named := os.environ.get("RANSCORE_HOME"):
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "ranscore"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "ranscore"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "ranscore"


def config() -> Json:
    """The user's `config.toml`; empty where there is none.

    Raises:
        InputError: The file is not TOML.
    """
    path = home() / "config.toml"
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(Problem(f"it is not TOML: {error}", "Mend it or move it away", str(path))) from None
