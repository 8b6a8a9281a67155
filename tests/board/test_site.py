"""The static site: every link leads to a file, and strangers' text stays text there too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.cli import main
from harness.store import Store
from leaderboard import frame, render, site
from leaderboard.shelf import Shelf


def test_every_link_of_every_page_leads_to_a_file(demo_store: Store, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["site", "-o", str(folder), "--store", str(demo_store.root), "--address", "https://board.example/"]) == 0
    written = {path.name for path in folder.iterdir()}
    assert f"{len(written)} files" in capsys.readouterr().out
    for page in folder.glob("*.html"):
        for address in re.findall(r'(?:href|src)="([^"]*)"', page.read_text()):
            parts = urlsplit(address)
            assert parts.scheme == "" and parts.path in written, (page.name, address)
    assert json.loads((folder / "boards.json").read_text()) == json.loads(render.dumps(Shelf(demo_store).content().boards))
    assert "https://board.example/" in next(folder.glob("board-*.bib")).read_text()


def test_strangers_bring_no_script_and_no_foreign_address(hostile_store: Store, folder: Path) -> None:
    site.write(Shelf(hostile_store), folder)
    for page in folder.glob("*.html"):
        source = page.read_text()
        assert re.findall(r"<script[^>]*>", source) == [f'<script src="frame.js?{frame.version("frame.js")}" defer>'], page.name
        assert not re.search(r"<[^>]*\son\w+=", re.sub(r'="[^"]*"', '=""', source)), page.name
        assert not re.search(r"<(?:img|iframe|base|object|style)\b", source)


def test_an_empty_store_makes_a_page_that_says_so(folder: Path, tmp_path: Path) -> None:
    site.write(Shelf(Store(tmp_path / "empty")), folder)
    assert "No record yet" in (folder / "index.html").read_text()
