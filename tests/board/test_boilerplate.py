"""Two published generators on the Indiana test set: one writes the same sentence 590 times, and the board must show it."""

from __future__ import annotations

import re
from pathlib import Path

from harness.cohorts import table
from harness.extractors import extractor
from harness.records import ranks, snapshot
from harness.records.store import Store
from harness.scoring import scorer
from harness.types import Access, Grade, Role, Section, SystemCard
from leaderboard.content import BoardContent
from leaderboard.html.addresses import Live
from leaderboard.views import router, tryit


def test_one_sentence_stands_at_the_floor_while_its_bleu_looks_respectable(shared: Path, tmp_path: Path) -> None:
    cohort = table.from_table(shared / "submissions" / "references.csv", section=Section.FINDINGS, access=Access.OPEN)
    store = Store(tmp_path / "store")
    names = ["ran-score", "bleu:coco|ptb", "rouge-l:coco|ptb"]
    normal = "The heart is normal in size. The lungs are clear. There is no pleural effusion or pneumothorax."
    files = {name: shared / "submissions" / f"{name}-iu.csv" for name in ("aamn", "moerad")}
    references = {study.id: cohort.reference(study.id) for study in cohort.scored}
    terse = {}
    for study, labels in zip(references, extractor("lexical").extract(list(references.values())), strict=True):
        named = [name for name in tryit.asserted(labels) if name != "No Finding"]
        terse[study] = ". ".join(named or ["The lungs are clear"]) + "."
    said: dict[str, Path | dict[str, str]] = {
        "terse": terse,
        "constant-normal": dict.fromkeys((study.id for study in cohort.scored), normal),
        **files,
    }
    for name, reports in said.items():
        card = SystemCard(name, role=Role.FLOOR if name == "constant-normal" else Role.SYSTEM)
        made = scorer.score(
            predictions=reports, references=cohort, metrics=names, card=card, grade=Grade.SCORED_HERE, created="2026-01-01T00:00:00Z"
        )
        store.add(made.record, made.rows, None, made.sides.patients)
    for found in ranks.make(store):
        snapshot.save(store.root, found)
    board_content = BoardContent(store)
    board = board_content.content().boards[0]
    ran, bleu = (next(column.key for column in board.columns if column.label == label) for label in ("Ran Score", "BLEU-4"))
    rows = {row.name: row for row in board.rows}
    # MoERad writes 25 different reports, none of which asserts a finding: it stands where the constant reports stand.
    floor = rows["constant-normal"].cells[ran].value
    assert rows["aamn"].cells[ran].value == rows["moerad"].cells[ran].value == floor < 0.05 < 0.5 < rows["terse"].cells[ran].value
    assert rows["aamn"].cells[bleu].value > 0.12 > 0.05 > rows["terse"].cells[bleu].value
    assert rows["terse"].place and rows["terse"].place.rank == 1 and rows["aamn"].place and rows["aamn"].place.rank == 2
    page = router.render(board_content, "agree", {}, Live())
    section = next(found for found in page.split("<section") if "BLEU-4 against" in found)
    marked = re.findall(r'class="rs-marked"><span class="rs-name"[^>]*><bdi>([^<]+)<', section)
    assert len(marked) == 4 and sorted(set(marked)) == ["aamn", "moerad"]
    assert re.search(r"keeps \d% of the best system&#x27;s Ran Score, and <strong>100% of the best", section)
