"""`ranscore demo --real` against a file server that holds real public files in the sources' layout."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.config.home import home
from harness.errors import InputError
from harness.records import rexrank_tables
from harness.records.store import Store
from leaderboard.content import BoardContent, load_board
from leaderboard.html.addresses import Live
from leaderboard.views import router
from ranscore.commands import main
from ranscore.fetching import entries
from tests.fetching.server import Files, serving
from tests.fetching.test_catalogue import with_content

TABLE = """Rank,Date,Model Name,Institution,Model URL,BLEU,BertScore,SembScore,RadGraph,1/RadCliQ-v1,RaTEScore,GREEN,1/FineRadScore
16,2024,MAIRA-2,Microsoft,https://huggingface.co/microsoft/maira-2,0.219,0.477,0.604,0.233,1.298,0.627,0.194,0.599
20,2025,MoERad-IU,IIT Madras,https://github.com/gssriram/MoERad,0.277,0.525,0.641,0.341,1.922,0.684,0.665,0.587
25,2025,UniRG-CXR,Microsoft Research,https://www.microsoft.com,0.265,0.565,0.659,0.286,1.977,0.69,0.639
26,2025,Zero,Nowhere,https://example.org,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0
"""
"""Three lines of ReXrank's table (numbers as its CSV of 2025-09-05 prints them), and one with a slip."""


def rexrank_list(references: Path) -> bytes:
    """ReXrank's list of the 590 studies, as far as the shared file has it."""
    with references.open(newline="", encoding="utf-8") as stream:
        rows = {row["study_id"]: row["report"] for row in csv.DictReader(stream)}
    films = {name: [f"{name}/0.png", f"{name}/1.png"] for name in rows}
    return json.dumps(
        {
            name: {
                "key_image_path": films[name][0],
                "image_path": films[name],
                "report": f"Findings: {text} Impression: ",
                "section_findings": text,
                "section_impression": "",
                "split": "test",
                "frontal_lateral": ["Frontal", "Lateral"],
                "context": "Indication: Chest pain Comparison: None.",
            }
            for name, text in rows.items()
        }
    ).encode()


@pytest.fixture
def sources(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """The sources as a server on this machine; the catalogue has the hashes of what it serves."""
    contents = {
        "rexrank-iu": {"ReXRank_IUXray_test.json": rexrank_list(shared / "submissions" / "references.csv")},
        "moerad-iu": {"moerad-iu.csv": (shared / "submissions" / "moerad-iu.csv").read_bytes()},
        "rexrank-tables": {item.path: TABLE.encode() for item in entries.find("rexrank-tables").files},
    }
    listed = dict(entries._listed())
    made = listed | {name: with_content(listed[name], held) for name, held in contents.items()}
    monkeypatch.setattr(entries, "_listed", lambda: made)
    with serving() as files:
        for name, held in contents.items():
            for item in made[name].files:
                address = urlsplit(item.address)
                files.content[f"/{address.hostname}{address.path}"] = held[item.path]
        mirrors = f'"https://raw.githubusercontent.com" = "{files.address}/raw.githubusercontent.com"'
        (home() / "config.toml").write_text(f"[fetch]\nmirrors = {{ {mirrors} }}\n")
        yield files


def test_a_real_board_in_one_command(sources: Files, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--real", "--no-serve"]) == 5
    assert 'add --accept "CC BY-NC-ND 4.0"' in capsys.readouterr().err and not sources.asked
    assert main(["fetch", "aamn-iu", "--from", str(shared / "submissions" / "aamn-iu.csv")]) == 0
    assert main(["demo", "--real", "--no-serve", "--accept", "CC BY-NC-ND 4.0"]) == 0
    told = capsys.readouterr()
    assert "without cvt2distilgpt2-iu" in told.err and "moved or removed" in told.err
    assert "Reported by ReXrank" in told.out and "MAIRA-2, GREEN: far below" in told.out

    (board,) = load_board(home() / "demo-real" / "store")
    values = {row.name: {key: cell.value for key, cell in row.cells.items()} for row in board.rows}
    assert set(values) == {"MoERad-IU", "AAMN-IU", "constant-normal", "all-findings", "shuffled-references", "references"}
    # As docs/metrics.md prints them.
    expected = {"bleu:coco|ptb": (0.1311, 0.1255), "bleu:sentence|rexrank": (0.2704, 0.2467), "rouge-l:coco|ptb": (0.3511, 0.3018)}
    for metric, numbers in (expected | {"cider:coco|ptb": (0.4312, 0.3240)}).items():
        for system, number in zip(("MoERad-IU", "AAMN-IU"), numbers, strict=True):
            name, _, recipe = metric.partition(":")
            found = [value for key, value in values[system].items() if re.match(rf"{name}\|v\d+\|{re.escape(recipe)}/", key)]
            assert any(abs(value - number) < 5e-5 for value in found), (metric, system, values[system])
    ranked = {row.name: row.place.rank for row in board.rows if row.place}
    # Both assert next to nothing but normal findings (docs/evidence/statistics.md), so neither is better than the other.
    assert ranked == {"MoERad-IU": 1, "AAMN-IU": 1}
    assert values["MoERad-IU"]["ran-score|v1/macro-f1"] == pytest.approx(0.0381, abs=5e-5)

    before = len(sources.asked)
    assert main(["demo", "--real", "--no-serve"]) == 0
    assert {path for path, _ in sources.asked[before:]} == {path for path, _ in sources.asked if "cvt2" in path}, "only what is not here"


def test_the_page_shows_what_rexrank_reports_beside_the_board(sources: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--real", "--no-serve", "--accept", "CC BY-NC-ND 4.0"]) == 0
    content = BoardContent(Store(home() / "demo-real" / "store"))
    page = str(router.render(content, "board", {}, Live()))
    assert "Reported by ReXrank" in page and "0.277" in page and "0.194*" in page


def test_slips_of_a_reported_table_are_marked_and_damage_is_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "findings_result_iu_xray.csv"
    path.write_text(TABLE)
    rows = {row.system: row for row in rexrank_tables.read(path)}
    assert list(rows) == ["MoERad-IU", "UniRG-CXR", "MAIRA-2", "Zero"], "the best BLEU first"
    assert rows["MoERad-IU"].slips == {} and rows["MoERad-IU"].values["1/RadCliQ-v1"] == 1.922
    assert rows["UniRG-CXR"].slips == {"1/FineRadScore": "not given"} and "1/FineRadScore" not in rows["UniRG-CXR"].values
    assert set(rows["MAIRA-2"].slips) == {"GREEN"} and set(rows["Zero"].slips) == {"1/FineRadScore"}
    path.write_text(TABLE.replace("0.219", "x").replace("0.1,0.1,0.1", "nan,0.1,0.1", 1))
    with pytest.raises(InputError) as caught:
        rexrank_tables.read(path)
    assert [problem.line for problem in caught.value.problems] == [2, 5]
    path.write_text(TABLE.replace("SembScore", "Semb"))
    with pytest.raises(InputError, match="has no column SembScore"):
        rexrank_tables.read(path)
