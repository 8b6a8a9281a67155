"""What a Space installs is the core and the page."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_requirements_are_the_core_and_the_page() -> None:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == [*project["dependencies"], *project["optional-dependencies"]["board"]]
    assert "gradio[oauth]>=6.31,<7" in lines


def test_what_the_login_needs_is_among_what_was_tested_together() -> None:
    needed = {
        re.split(r"[^\w-]", line, maxsplit=1)[0].lower()
        for line in metadata.requires("gradio") or ()
        if "extra == 'oauth'" in line.replace('"', "'")
    }
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    assert {"authlib", "itsdangerous"} <= needed <= pinned


def test_no_extra_brings_a_library_under_the_gpl() -> None:
    """`pylibjpeg-libjpeg` is under GPLv3; GDCM reads the same packings."""
    named = (ROOT / "pyproject.toml").read_text() + (ROOT / "constraints.txt").read_text() + (ROOT / "requirements.txt").read_text()
    assert "pylibjpeg-libjpeg" not in named and "python-gdcm" in named
