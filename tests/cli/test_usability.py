"""Places where users stumbled, as docs/evidence/usability.md lists them: what each does now."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from harness.metrics import metric
from harness.records.store import Store
from harness.scoring import demo
from harness.types import Access
from leaderboard import static_site
from leaderboard.content import BoardContent
from leaderboard.html import frame
from leaderboard.html.addresses import Live
from leaderboard.views import router
from ranscore.commands import main

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
Out = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setenv("RANSCORE_HOME", str(tmp_path))
    return tmp_path


SCORE = ("score", "other.csv", "--references", "references.csv", "--open")


def test_the_cohort_gets_a_name_and_the_findings_a_file(here: Path, capsys: Out) -> None:
    given = ("--metrics", "ran-score", "--cohort-name", "hospital A", "--json", "--findings")
    for suffix in ("csv", "tex", "html"):
        assert main([*SCORE, *given, str(here / f"f.{suffix}")]) == 0
        assert json.loads(capsys.readouterr().out)["cohort"]["name"] == "hospital A"
    rows = list(csv.DictReader((here / "f.csv").read_text().splitlines()))
    assert len(rows) == 21 and float(rows[0]["low"]) <= float(rows[0]["F1"]) <= float(rows[0]["high"])
    assert r"\label{tab:findings}" in (here / "f.tex").read_text() and "<caption>other on hospital A" in (here / "f.html").read_text()
    assert main([*SCORE, *given, str(here / "f.xlsx")]) == 2
    assert "must end with .csv, .tex, .html" in capsys.readouterr().err


def test_a_score_says_its_place_among_the_floors_in_two_lines(here: Path, capsys: Out) -> None:
    assert main([*SCORE, "--metrics", "ran-score"]) == 0
    *_, floors, meaning = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Floors: one normal report for every study 0\.\d{3}, .*\. other is better than each floor\.", floors)
    assert re.search(r"between 0\.\d{3} and 0\.\d{3} \(95 % interval\)\. The ceiling 0\.952 .*: 1 findings? ", meaning)
    normal = here / "normal.csv"
    studies = [row["study_id"] for row in csv.DictReader(Path("references.csv").read_text().splitlines())]
    normal.write_text("study_id,report\n" + "".join(f"{study},The lungs are clear.\n" for study in studies))
    assert main(["score", str(normal), *SCORE[2:], "--metrics", "ran-score"]) == 0
    assert "normal is not better than one normal report for every study (difference +0.000, p = 1.000)" in capsys.readouterr().out
    assert main(["score", str(normal), *SCORE[2:], "--metrics", "bleu"]) == 0
    assert "Floors" not in capsys.readouterr().out


def test_scores_with_many_recipes_say_which_and_can_be_chosen(here: Path, capsys: Out) -> None:
    recipes = "ran-score,bleu:coco|ptb,bleu:coco|raw"
    assert main([*SCORE, "--metrics", recipes, "--store"]) == main(["snapshot"]) == 0
    capsys.readouterr()
    assert main(["board", "--format", "csv"]) == 0
    header = capsys.readouterr().out.splitlines()[0].split(",")
    assert len(header) == len(set(header)) and {"BLEU-4 (coco|ptb)", "BLEU-4 (coco|raw)", "Ran Score"} <= set(header)
    assert main(["board", "--format", "csv", "--columns", "ran score,BLEU-4 (coco|raw)"]) == 0
    assert sum("BLEU" in name for name in capsys.readouterr().out.splitlines()[0].split(",")) == 3
    assert main(["board", "--columns", "BLUE-4"]) == 2
    assert "the board has no score 'blue-4'" in capsys.readouterr().err
    assert main(["board", "--format", "latex"]) == 0
    latex = capsys.readouterr().out
    assert r"coco\textbar{}raw" in latex and r"\label{tab:board-" in latex and "|" not in latex
    assert main(["board"]) == 0
    assert "Reported in the paper" not in capsys.readouterr().out


def test_a_comparison_becomes_a_file(here: Path, capsys: Out) -> None:
    for name in ("predictions", "other"):
        assert main(["score", f"{name}.csv", *SCORE[2:], "--metrics", "ran-score", "--store"]) == 0
    assert main(["compare", "predictions", "other", "--draws", "100", "-o", str(here / "c.csv")]) == 0
    rows = {row["score"]: row for row in csv.DictReader((here / "c.csv").read_text().splitlines())}
    assert len(rows) > 21 and float(rows["macro-f1"]["predictions"]) - float(rows["macro-f1"]["other"]) == pytest.approx(
        float(rows["macro-f1"]["difference"])
    )
    capsys.readouterr()
    assert main(["score", "other.csv", "--references", "references.csv", "--metrics", "ran-score", "--store", "--name", "closed"]) == 0
    assert main(["compare", "predictions", "closed"]) == 2
    assert "access open and credentialed; score both with --open, or both without" in capsys.readouterr().err


def test_the_wrong_cohort_is_said_first_with_three_examples(here: Path, capsys: Out) -> None:
    wrong = here / "wrong.csv"
    wrong.write_text("study_id,report\n" + "".join(f"x{number},Clear lungs.\n" for number in range(50)))
    assert main(["validate", str(wrong), "--references", "references.csv"]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert "none of its ids is among the 120 studies that the cohort scores. Is it the right cohort" in lines[0]
    assert len([line for line in lines if "the study is not one that the cohort scores" in line]) == 3
    assert lines[-2].endswith("and 47 more: unknown id") and lines[-1].endswith("wrong.csv: it cannot be scored: 51 errors")


def test_verify_shows_the_headline_first_and_the_rest_on_demand(here: Path, capsys: Out) -> None:
    assert main([*SCORE, "--metrics", "ran-score", "-o", str(here / "r.json")]) == 0
    other = ["verify", str(here / "r.json"), "predictions.csv", *SCORE[2:]]
    capsys.readouterr()
    assert main(other) == 1
    short = capsys.readouterr().out.splitlines()
    assert len(short) == 7 and short[1].startswith("  ran-score macro-f1: ") and short[-1].endswith("more; --all prints them")
    assert main([*other, "--all"]) == 1
    assert len(capsys.readouterr().out.splitlines()) > 40


def test_the_collection_s_address_is_in_the_error_that_asks_for_it(here: Path, capsys: Out) -> None:
    assert main(["cohort", "build", "open-i-590"]) == 3
    assert "https://openi.nlm.nih.gov/imgs/collections/NLMCXR_reports.tgz" in capsys.readouterr().err


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> BoardContent:
    store = Store(tmp_path_factory.mktemp("board") / "store")
    demo.fill(store, [metric("ran-score")], studies=60)
    return BoardContent(store)


def test_a_link_to_what_is_gone_says_so(page: BoardContent) -> None:
    content = page.content()
    (board,) = content.boards

    def shown(**query: str) -> str:
        return router.render(page, query.get("tab", ""), query, Live())

    told = "What this link names is not here any more"
    assert told in shown(board="nope-123") and told in shown(gone="1") and told in shown(tab="findings", board="nope-123")
    assert told not in shown() and told not in shown(board=board.key) and told not in shown(tab="system", system=board.rows[0].id)
    # However many names are tried, one page is kept.
    assert router.resolve(content, "board", {"board": "a"}) == router.resolve(content, "board", {"board": "<b>"})


def test_every_page_has_a_footer_and_a_way_past_the_menu(page: BoardContent, tmp_path: Path) -> None:
    static_site.write(page, tmp_path)
    text = (tmp_path / "index.html").read_text()
    assert 'href="#content"' in text and re.search(r'<main [^>]*id="content"', text)
    assert all(f'href="{address}"' in text for address in frame.LINKS.values()) and "arxiv.org/abs/2603.22935" in text
    named = [address.removeprefix(frame.CODE) for address in frame.LINKS.values() if address.startswith(f"{frame.CODE}/blob/main/")]
    assert all((ROOT / name.removeprefix("/blob/main/")).is_file() for name in named) and len(named) == 3


def test_one_record_with_many_recipes_adds_no_column_to_the_first_view(page: BoardContent) -> None:
    from dataclasses import replace

    from leaderboard.board import Cell, Column
    from leaderboard.views.board import table, usual

    board = page.content().boards[0]
    many = tuple(Column(f"m{number}/x", f"M{number}", f"m{number}", "x") for number in range(30))
    first = replace(board.rows[1], cells={**board.rows[1].cells, **{column.key: Cell(0.5) for column in many}})
    wide = replace(board, columns=(*board.columns, *many), rows=(board.rows[0], first, *board.rows[2:]))
    assert usual(wide) == usual(board) == {column.key for column in board.columns}
    html = table(wide, Live())
    assert len(re.findall(r'data-key="m\d+/x"[^>]* hidden', html)) == 30
    (low,) = [row for row in board.rows if row.name == "constant-normal"]
    (ceiling,) = [row for row in board.rows if row.role == "ceiling"]
    assert re.search(r">axis 0 to [\d.]+(, ceiling beyond)?<", html) and "ceiling beyond" in table(
        replace(board, rows=(ceiling, low)), Live()
    )
    assert len(usual(replace(wide, rows=(first,)))) == 12


def test_what_the_paper_reported_is_shown_where_it_fits(page: BoardContent) -> None:
    from dataclasses import replace

    from leaderboard.board import is_of_paper

    cohort = page.content().boards[0].cohort
    assert "Reported in the paper" not in router.render(page, "board", {}, Live())
    assert is_of_paper(replace(cohort, name="mimic-cxr-test", access=Access.CREDENTIALED)) and not is_of_paper(cohort)
