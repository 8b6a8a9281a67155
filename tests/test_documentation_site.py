"""The documentation site builds strictly and offline, and its pages ask no other host for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a broken link, anchor or reference ends the build."""
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_in_the_navigation(site: Path) -> None:
    shown = (site / "index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix("").as_posix()
        address = "." if name == "index" else name.removesuffix("/index") + "/"
        assert f'href="{address}"' in shown or f'href="./{address}"' in shown, f"mkdocs.yml does not name {name}"


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loads = re.compile(
        r"<(?:script|img|iframe|source)[^>]*\ssrc=[\"']?(https?:)?//|<link[^>]*rel=[\"']?(?:stylesheet|preload)[^>]*href=[\"']?(https?:)?//"
    )
    assert [page.relative_to(site) for page in site.rglob("*.html") if loads.search(page.read_text(encoding="utf-8"))] == []


def test_the_python_reference_shows_what_users_import(site: Path) -> None:
    text = (site / "reference" / "python" / "index.html").read_text(encoding="utf-8")
    for name in ("harness.scoring.scorer.score", "harness.types.Metric", "harness.registry.Registry"):
        assert f'id="{name}"' in text
    assert "No Finding" in (site / "search" / "search_index.json").read_text(encoding="utf-8")
