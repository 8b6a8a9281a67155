"""The page that says what each metric sees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.records.store import Store
from leaderboard import static_site
from leaderboard.content import BoardContent
from leaderboard.html.addresses import Live
from leaderboard.views import about, router, sees
from validation.bench import results, tables
from validation.bench.document import document
from validation.bench.kinds import BY_NAME

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page(demo_store: Store) -> str:
    return str(router.render(BoardContent(demo_store), "sees", {}, Live()))


def test_where_ran_score_is_blind_comes_first(page: str) -> None:
    result = results.shipped("en")
    blind = tables.blind(result)
    assert {"side", "severity"} <= set(blind)
    assert page.index("is blind: English") < page.index("<table")
    first = re.search(r"<tbody>.*?</tbody>", page, re.DOTALL)
    assert first
    heads = re.findall(r'<th scope="row"><span>([^<]+)</span>', first[0])
    assert heads[: len(blind)] == list(blind)
    assert set(heads) == {shape.kind for shape in result.shapes}


def test_every_cell_has_figure_interval_and_every_kind_an_example(page: str) -> None:
    result = results.shipped("en")
    item = next(found for found in result.metrics if found.name.startswith("bleu:"))
    auc = item.kinds["replaced"].auc
    assert f"{auc.value:.2f}" in page and f"{auc.low:.2f} to {auc.high:.2f}" in page
    assert page.count("<details><summary>Example</summary>") == sum(len(results.shipped(code).examples) for code in results.LANGUAGES)
    assert set(result.examples) <= set(BY_NAME)


def test_changed_words_are_marked_and_text_is_inert() -> None:
    before, after = sees.marked("No effusion on the left.", "No effusion on the right.")
    assert "<del>left</del>" in before and "<ins>right</ins>" in after
    assert "<del>" not in after
    _, hostile = sees.marked("a", "<script>x</script>")
    assert "<script>" not in hostile


def test_every_score_of_a_board_leads_to_its_line(demo_store: Store, page: str) -> None:
    content = BoardContent(demo_store)
    text = str(router.render(content, "about", {}, Live()))
    targets = re.findall(r"tab=sees[^\"#]*#(sees-[a-z]{2}-[^\"]+)", text)
    assert targets
    known = set(re.findall(r'id="(sees-[^"]+)"', page))
    assert set(targets) <= known
    assert about.METRICS


def test_a_run_of_ones_own_replaces_that_of_the_program(demo_store: Store, tmp_path: Path) -> None:
    from dataclasses import replace

    shipped = results.shipped("en")
    results.save(replace(shipped, seed=4, created="9999-01-01T00:00:00Z"), tmp_path)
    (tmp_path / "damaged.json").write_text("{}", encoding="utf-8")
    found = {(item.source, item.language): item for item in results.found([tmp_path])}
    assert found[("generated", "en")].seed == 4
    assert found[("generated", "zh")] == results.shipped("zh")
    assert len(found) == 6


def test_the_static_site_has_the_page(demo_store: Store, tmp_path: Path) -> None:
    static_site.write(BoardContent(demo_store), tmp_path)
    made = list(tmp_path.glob("sees-*.html"))
    assert made and all("is blind" in path.read_text(encoding="utf-8") for path in made)


def test_the_document_is_that_of_the_results() -> None:
    assert (ROOT / "docs" / "what-metrics-see.md").read_text(encoding="utf-8") == document()
