"""Digests that people have cited stay what they are: of the shipped example, of the synthetic board's cohort, records and snapshot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.cohorts import table
from harness.metrics import metric
from harness.records import snapshot
from harness.records.store import Store
from harness.scoring import demo, scorer
from harness.signature import digest
from harness.types import Access, Section

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "digests.json").read_text())
EXAMPLES = Path(__file__).parents[1] / "submissions" / "examples"


def rounded(value: Any) -> Any:
    """The same JSON with floats at 6 significant digits: p values differ in their last bits between processors."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def synthetic_board(folder: Path) -> dict[str, Any]:
    """What a board of 120 synthetic studies is signed with."""
    store = Store(folder / "store")
    cohort = demo.fill(store, [metric("ran-score"), metric("bleu:coco|ptb"), metric("rouge-l:coco|ptb")], studies=120)
    (made,) = map(snapshot.load, (store.root / "snapshots").glob("*.json"))
    content = json.dumps({key: value for key, value in snapshot.to_json(made).items() if key not in {"created", "program"}})
    for item in store.standing():
        content = content.replace(item.id, item.record.system.name)  # a record's id depends on the clock
    return {
        "cohort": cohort.manifest.digest,
        "records": {item.record.system.name: item.record.digest for item in store.standing()},
        "snapshot": digest(rounded(json.loads(content))),
    }


def shipped_example() -> dict[str, str]:
    """Of the example file scored against itself: `lexical` labels both sides."""
    cohort = table.from_table(EXAMPLES / "predictions.csv", section=Section.FINDINGS, access=Access.OPEN)
    found = scorer.score(predictions=EXAMPLES / "predictions.jsonl", references=cohort, metrics=["ran-score", "bleu:coco|ptb"])
    return {"cohort": cohort.manifest.digest, "record": found.record.digest}


def test_no_digest_of_the_synthetic_board_has_changed(tmp_path: Path) -> None:
    assert synthetic_board(tmp_path) == GOLDEN["synthetic board"]


def test_no_digest_of_the_shipped_example_has_changed() -> None:
    assert shipped_example() == GOLDEN["shipped example"]
