"""The static site: every link leads to a file, and strangers' text stays text there too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.records.store import Store
from leaderboard import static_site
from leaderboard.content import BoardContent
from leaderboard.exports import tables
from leaderboard.html import frame
from ranscore.commands import main


@pytest.fixture(scope="module")
def hostile_site(hostile_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static site of a board whose systems have hostile names."""
    folder = tmp_path_factory.mktemp("hostile") / "site"
    static_site.write(BoardContent(hostile_store), folder)
    return folder


def test_every_link_of_every_page_leads_to_a_file(demo_store: Store, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["site", "-o", str(folder), "--store", str(demo_store.root), "--address", "https://board.example/"]) == 0
    written = {path.name for path in folder.iterdir()}
    assert f"{len(written)} files" in capsys.readouterr().out
    for page in folder.glob("*.html"):
        source = page.read_text()
        for address in re.findall(r'(?:href|src)="([^"]*)"', source):
            parts = urlsplit(address)
            if address in frame.LINKS.values() or (address == "#content" and ' id="content"' in source):
                continue
            assert parts.scheme == "" and parts.path in written, (page.name, address)
    assert json.loads((folder / "boards.json").read_text()) == json.loads(tables.dumps(BoardContent(demo_store).content().boards))
    assert "https://board.example/" in next(folder.glob("board-*.bib")).read_text()
    (about_labels,) = folder.glob("extractor-*.html")
    assert f'href="{about_labels.name}"' in (folder / "index.html").read_text()


def test_strangers_bring_no_script_and_no_foreign_address(hostile_site: Path) -> None:
    for page in hostile_site.glob("*.html"):
        source = page.read_text()
        assert re.findall(r"<script[^>]*>", source) == [
            f'<script src="colours.js?{frame.version("colours.js")}">',
            f'<script src="frame.js?{frame.version("frame.js")}" defer>',
        ], page.name
        assert not re.search(r"<[^>]*\son\w+=", re.sub(r'="[^"]*"', '=""', source)), page.name
        assert not re.search(r"<(?:img|iframe|base|object|style)\b", source)


def test_the_pieces_of_exports_are_data_and_joined_whole_give_the_exports(hostile_store: Store, hostile_site: Path) -> None:
    board = BoardContent(hostile_store).content().boards[0]
    source = (hostile_site / f"pieces-{board.key}.js").read_text()
    assert source.isascii() and source.startswith("ranscorePieces(") and source.endswith(");\n")
    found = json.loads(source.removeprefix("ranscorePieces(").removesuffix(");\n"))
    assert found["json"] == json.loads(json.dumps(tables.to_json(board)))
    for kind, whole in tables.FORMATS.items():
        form = found["formats"][kind]
        facts = [at for at, name in enumerate(found["facts"]) if name in board.facts]
        listed = [(one["dress"], one) for one in form["head"]] + [(form["dress"], form["rows"][row.id]) for row in board.rows]
        text = ""
        for (start, between, end), line in listed:
            scores = [cell for at, both in enumerate(line["columns"]) for cell in both[at == 0]]
            text += (
                start + between.join([*line["first"], *scores, *(cell for at in facts for cell in line["facts"][at]), *line["last"]]) + end
            )
        if "foot" in form:
            text += f"{form['foot'][0]}{form['foot'][1]}; newest record {max(found['created'].values())}.{form['foot'][2]}"
        assert text == whole(board), kind


def test_an_empty_store_makes_a_page_that_says_so(folder: Path, tmp_path: Path) -> None:
    static_site.write(BoardContent(Store(tmp_path / "empty")), folder)
    assert "No record yet" in (folder / "index.html").read_text()
