"""A credentialed cohort whose public side is searched for every word of its text: pages, files, messages and traffic."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.cohorts.synthetic.systems import system
from harness.errors import InputError
from harness.records.store import Store
from harness.storage.report_lines import canonical
from harness.types import Access, SystemCard, Text
from leaderboard import static_site as site_files
from leaderboard.content import BoardContent, load
from leaderboard.exports import tables
from leaderboard.hub import repository as hubs
from leaderboard.hub.repository import HubFiles, Repository
from submissions import board_folder as board_folders
from submissions.events import State
from submissions.health import health, lines
from submissions.intake import DATA_USE, Upload, submit
from submissions.ledger import Ledger
from submissions.receipts import receipt
from submissions.worker import Worker
from tests.hub.server import Hub, running

QUICK = (0.0, 0.01, 0.02)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def hub() -> Iterator[Hub]:
    """An empty Hub."""
    with running() as made:
        yield made


def marked(text: str, mark: str) -> str:
    """A text with a word in it that stands nowhere else."""
    return f"{text} Marked {mark}."


def shingles(text: str) -> set[str]:
    """Every five words in a row."""
    words = text.split()
    return {" ".join(words[start : start + 5]) for start in range(len(words) - 4)}


def everything(place: Path) -> str:
    """Every file under a folder and its name, unpacked where it is packed."""
    parts = []
    for path in sorted(place.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        parts += [str(path), content.decode(errors="replace")]
        if content[:2] == b"\x1f\x8b":
            parts.append(gzip.decompress(content).decode(errors="replace"))
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                parts += [archive.read(name).decode(errors="replace") for name in archive.namelist()]
        assert not tarfile.is_tarfile(path)
    return "\n".join(parts)


def test_no_word_of_a_hidden_cohort_reaches_its_public_side(
    hub: Hub, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The maintainer's site holds the text; the page's machine holds the manifest alone.
    plain = build(studies=40, seed=11)
    texts = {
        name: Text(marked(text.findings, f"quxref{index}a"), marked(text.impression, f"quxref{index}b"), indication=f"quxref{index}c cough")
        for index, (name, text) in enumerate(plain.texts.items())
    }
    manifest = plain.manifest
    hidden = cohorts.make(
        "hidden", manifest.studies, texts, section=manifest.section, access=Access.CREDENTIALED, language="en", source="invented", labels=plain.labels
    )  # fmt: skip
    page_root, site_root = tmp_path / "page", tmp_path / "site"
    cohorts.save(hidden, site_root / "cohorts" / "hidden")
    (page_root / "cohorts" / "hidden").mkdir(parents=True)
    (page_root / "cohorts" / "hidden" / "manifest.json").write_bytes((site_root / "cohorts" / "hidden" / "manifest.json").read_bytes())
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    written = {
        name: {
            study: marked(text, f"quxsub{index}n{name}")
            for index, (study, text) in enumerate(system(plain, name, reach, 0.1).reports.items())
        }
        for name, reach in (("Birch", 0.9), ("Elm", 0.5))
    }

    def repository(name: str, root: Path) -> Repository:
        made = Repository(f"lab/{name}", root / "hub" / name, hub.address, QUICK)
        made.make(private=True)
        return made

    page = board_folders.at(page_root, Ledger(HubFiles(repository("submissions", page_root))))
    site = board_folders.at(site_root, Ledger(HubFiles(repository("submissions", site_root))))

    # Without the tick nothing is taken; a bad file is refused without a word of it.
    uploads = {
        name: Upload(canonical(reports), f"{name}.jsonl", "hidden", SystemCard(name), f"hf:{name}") for name, reports in written.items()
    }
    with pytest.raises(InputError, match="data-use sentence"):
        submit(page, uploads["Birch"])
    broken = uploads["Birch"].content.replace(b"quxsub3n", b"<b>quxsub3n") + b'{"study_id": "quxsub4 is a report", "report": 1}'
    with pytest.raises(InputError) as caught:
        submit(page, replace(uploads["Birch"], content=broken, agreed=True))
    said = str(caught.value)
    ids = {name: submit(page, replace(upload, agreed=True)).id for name, upload in uploads.items()}
    said += json.dumps([receipt(page, name) for name in ids.values()])
    worker = Worker(site, listed=lambda: hubs.push(site.store, repository("results", site_root)))
    assert worker.run(once=True) == 2
    worker.tidy()
    ledger_state = page.ledger.state()
    assert {ledger_state.submissions[name].state for name in ids.values()} == {State.LISTED}

    # What the public sees.
    shown = Store(page_root / "store")
    hubs.pull(repository("results", page_root), shown)
    (board,) = load(shown)
    assert [(row.name, row.place.rank if row.place else None) for row in board.rows] == [("Birch", 1), ("Elm", 2)]
    parts = shown.all()[0].record.metrics[0].parts
    assert all(value == round(value, 3) for value in parts.values())
    positives = {part: value for part, value in parts.items() if part.startswith("positives:")}
    full = site.store.all()[0].record.metrics[0].parts
    assert positives and all(value >= 10 for value in positives.values())
    assert len(positives) < sum(part.startswith("positives:") for part in full)
    assert shown.rows(shown.all()[0].record) == ()

    said += "".join(form(board) for form in tables.FORMATS.values()) + tables.dumps((board,)) + DATA_USE
    said += json.dumps([receipt(page, name) for name in ids.values()]) + "\n".join(lines(health(page)))
    site_files.write(BoardContent(shown), tmp_path / "site-files")
    said += "".join(capfd.readouterr())
    public = {
        # The same views as the page, and every export.
        "views": everything(tmp_path / "site-files"),
        "words": said,
        "page": everything(page_root),
        "temporary": everything(temporary),
        "results": hub.traffic["lab/results"].decode(errors="replace"),
        "state": "".join(content.decode(errors="replace") for _, files in hub.commits["lab/results"] for content in files.values()),
    }
    # Submitted reports stand in the closed data set, which is what the tick is for; nothing of the references stands even there.
    closed = hub.traffic["lab/submissions"].decode(errors="replace") + str(hub.commits["lab/submissions"])
    references = {part for name in texts for part in (*shingles(hidden.reference(name)), texts[name].indication)}
    submitted = {part for reports in written.values() for text in reports.values() for part in shingles(text)}
    # The pairs on *What metrics see* are written with some of the same invented phrases.
    shipped = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "validation" / "bench").rglob("*.json"))
    references, submitted = ({part for part in own if part not in shipped} for own in (references, submitted))
    assert len(references) > 300 and len(submitted) > 300
    for place, text in public.items():
        assert "quxref" not in text and "quxsub" not in text, place
        assert not [part for part in references | submitted if part in text], place
    assert "quxref" not in closed and "quxsub" in closed
    assert not any(f"quxref{index}" in everything(site_root / "store" / "events") for index in range(5))
    assert "quxsub" not in everything(site_root / "store" / "snapshots") + everything(site_root / "store" / "events")
