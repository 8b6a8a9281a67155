"""Where the program keeps its files on the user's machine."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit


def home() -> Path:
    """`RANSCORE_HOME`, or the platform's data folder."""
    if named := os.environ.get("RANSCORE_HOME"):
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "ranscore"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "ranscore"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "ranscore"


def pip_install(extra: str) -> str:
    """The command that installs an optional part of this program: from its own folder where it was installed from one."""
    installed = metadata.distribution("ranscore")
    origin = str(json.loads(installed.read_text("direct_url.json") or "{}").get("url", ""))
    folder = Path(str(installed.locate_file(""))) if not origin.startswith("file:") else Path(unquote(urlsplit(origin).path))
    return f"pip install '{folder if (folder / 'pyproject.toml').is_file() else 'ranscore'}[{extra}]'"


def extra_of(package: str) -> str:
    """The optional part of this program that a package belongs to; empty where it belongs to none."""
    wanted = {"PIL": "pillow", "sklearn": "scikit-learn"}.get(package, package.replace("_", "-"))
    for line in metadata.requires("ranscore") or ():
        name = re.match(r"[\w.-]+", line)
        if name and name.group().lower() == wanted.lower() and (found := re.search(r"extra == ['\"]([\w-]+)['\"]", line)):
            return found.group(1)
    return ""
