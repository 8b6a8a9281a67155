"""The store: append-only, atomic, nothing lost between processes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from harness.errors import UsageError
from harness.metrics import metric
from harness.records.store import Store, newest
from harness.scoring import evaluation
from harness.scoring.evaluation import Evaluation
from harness.types import Labels, Status, SystemCard


def scored(name: str, seed: int = 1) -> Evaluation:
    ok = (Status.OK,) * 21
    rng = np.random.default_rng(0)
    reference = {f"s{index}": Labels(tuple(rng.integers(0, 2, 21).tolist()), ok) for index in range(9)}
    rng = np.random.default_rng(seed)
    candidate = {study: Labels(tuple(rng.integers(0, 2, 21).tolist()), ok) for study in reference}
    return evaluation.evaluate(
        evaluation.from_labels(predictions=candidate, references=reference), [metric("ran-score")], card=SystemCard(name)
    )


def test_a_record_is_found_again_by_name_id_and_digest(tmp_path: Path) -> None:
    store, made = Store(tmp_path), scored("A")
    kept = store.add(made.record, made.rows, {"s1": "Clear lungs."})
    assert store.find("A") == store.find(kept.id[:6]) == store.find(made.record.digest[:8]) == kept
    np.testing.assert_array_equal(store.rows(kept.record)[0].values, made.rows[0].values)
    assert store.reports(kept) == {"s1": "Clear lungs."}
    odd = {"s1": "Clear.\u2028No\x85 effusion.\r\n"}
    # The same reports as another program may write them: not in ASCII.
    written = "".join(json.dumps({"study_id": key, "report": text}, ensure_ascii=False) + "\n" for key, text in odd.items()).encode()
    name = sha256(written).hexdigest()
    (tmp_path / "reports" / f"{name}.jsonl").write_bytes(written)
    assert store.reports(replace(kept, reports=name)) == odd
    with pytest.raises(UsageError, match="no record"):
        store.find("nobody")


def test_the_same_record_is_kept_once(tmp_path: Path) -> None:
    store, made = Store(tmp_path), scored("A")
    first = store.add(made.record, made.rows)
    again = store.add(replace(made.record, created="2026-01-01T00:00:00Z"), made.rows)
    assert first == again and len(store.all()) == 1
    store.add(scored("B").record)
    assert len(store.all()) == 2


def test_withdrawal_is_an_event_and_the_record_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    kept = store.add(scored("A").record)
    store.withdraw(kept.id, "wrong file")
    assert store.standing() == () and store.all()[0].withdrawn == "wrong file"
    assert len(list((tmp_path / "events").glob("*.json"))) == 2


def test_the_newest_of_a_system_stands(tmp_path: Path) -> None:
    store = Store(tmp_path)
    old, new = scored("A", 1).record, scored("A", 2).record
    store.add(replace(old, created="2026-01-01T00:00:00Z"))
    store.add(replace(new, created="2026-02-01T00:00:00Z", system=replace(new.system, version="2")))
    assert [item.record.system.version for item in newest(store.all())] == ["2"]


def test_a_damaged_event_is_named_and_the_others_are_served(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path)
    kept = store.add(scored("A").record)
    (tmp_path / "events" / "20260101T000000Z-aa.json").write_text("{")
    assert store.all() == (kept,)
    assert "20260101T000000Z-aa.json: the event cannot be read" in caplog.text


def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from dataclasses import replace; from pathlib import Path; from harness.records.store import Store\n"
        "from tests.records.test_store import scored\n"
        "made = scored('X')\n"
        "for i in range(25):\n"
        "    record = replace(made.record, system=replace(made.record.system, name=f'{sys.argv[2]}{i}'))\n"
        "    Store(Path(sys.argv[1])).add(record, made.rows)\n"
        "    Store(Path(sys.argv[1])).add(replace(record, system=replace(record.system, name=f'shared{i}')), made.rows)\n"
    )
    root = Path(__file__).parents[2]
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name], cwd=root) for name in "ab"]
    assert [run.wait() for run in runs] == [0, 0]
    names = {item.record.system.name for item in Store(tmp_path).all()}
    assert names == {f"{who}{index}" for who in ("a", "b", "shared") for index in range(25)}
    assert len(Store(tmp_path).all()) == 75
    assert not list(tmp_path.rglob("*.part"))
