"""A standard of original and generated reports: read mixed and unmarked, and validated apart."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from harness import cohorts
from harness.cohorts.synthetic.systems import systems
from harness.config.home import home
from harness.extractors import extractor
from harness.findings import RAN_21
from harness.metrics import metric
from harness.records import store
from harness.scoring import demo
from harness.types import Labels
from ranscore.commands import main
from validation.extractors import reference
from validation.readers import exchange, folder, page, simulated, standard, texts
from validation.readers.folder import Folder
from validation.workbench import parts

SYSTEM = "synthetic-elm"
SURE = simulated.Quality(1.0, 1.0, 0.0)


@pytest.fixture
def both() -> Folder:
    """Twelve studies, each with the original report and that of one system, read by three readers without an error."""
    cohort = demo.fill(store.default(), [metric("ran-score")], studies=30)
    cohorts.save(cohort, home() / "cohorts" / "synthetic")
    words = ["--cohort", "synthetic", "--items", "12", "--readers", "3", "--seed", "4", "--system", SYSTEM]
    assert main(["readers", "new", "both", *words]) == 0
    place = folder.find("both")
    study = place.study()
    written = next(system for system in systems(cohort, 0) if system.name == SYSTEM).labels
    truth: dict[str, Labels] = {item.row: written[item.study] if item.system else cohort.labels[item.study] for item in study.items}
    for reader in study.readers:
        place.take(simulated.sheet(study, reader, truth, SURE, np.random.default_rng(1)))
    assert main(["readers", "settle", "both"]) == 0
    return place


def test_each_kind_of_report_has_its_own_rows_and_its_own_tables(both: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = both.study()
    assert len(study.items) == 24 and {item.system_name for item in study.items} == {"", SYSTEM}
    shown = texts.load(study, store.default())
    generated = texts.reports_of(store.default(), SYSTEM)
    assert all(shown[item.id] == ((generated[item.study],) if item.system else shown[item.id]) for item in study.items)
    assert sum(shown[item.id] != (generated[item.study],) for item in study.items) == 12
    settled = reference.load("both")
    own = standard.labels_of(both.path)
    assert sorted(own) == sorted(item.row for item in settled.items) and len(own) == 24
    # The labels that the standard itself has, with every decision about a generated report turned round.
    file = tmp_path / "labels.csv"
    with (both.path / "labels.csv").open() as source, file.open("w", newline="") as target:
        rows = list(csv.DictReader(source))
        writer = csv.DictWriter(target, rows[0].keys())
        writer.writeheader()
        turned = {"0": "1", "1": "0"}
        for row in rows:
            generated_report = "@" in row["study_id"]
            writer.writerow(
                {name: turned.get(cell, cell) if generated_report and name != "study_id" else cell for name, cell in row.items()}
            )
    capsys.readouterr()
    assert main(["extractor", "validate", "--standard", "both", "--extractor", str(file), "--alone", "--format", "json"]) == 0
    parted = json.loads(capsys.readouterr().out)["extractors"][0]["parts"]
    assert [(part["source"], part["items"]) for part in parted] == [("original", 12), ("generated", 12)]
    right, wrong = ([item["accuracy"]["value"] for item in part["findings"]] for part in parted)
    assert right == [1.0] * len(RAN_21) and wrong == [0.0] * len(RAN_21)


def test_an_extractor_reads_the_text_that_was_read_and_the_workbench_keeps_to_originals(both: Folder) -> None:
    settled = reference.load("both")
    reports = reference.reports(settled, store.default())
    labels = dict(zip(reports, extractor("lexical").extract(list(reports.values())), strict=True))
    agree = {
        source: np.mean([labels[item.id].values == settled.labels[item.id].values for item in settled.items if item.source == source])
        for source in reference.SOURCES
    }
    assert min(agree.values()) > 0.5  # with the other text of the same study it would be near 0
    tune, held = (parts.part_of(settled, name) for name in parts.PARTS)
    assert {item.source for item in (*tune.items, *held.items)} == {"original"} and len(tune.items) + len(held.items) == 12


def test_sheets_do_not_say_who_wrote_and_answers_come_back_from_a_file(both: Folder, tmp_path: Path) -> None:
    study = both.study()
    view = page.of_reader("both", study, "reader-1", texts.load(study, store.default()), "file")
    assert SYSTEM not in page.document(view) and not any(item.system and item.system in page.document(view) for item in study.items)
    counting = both.counting()
    files = exchange.write(study, counting, "csv")
    path = tmp_path / "answers.csv"
    path.write_text(next(iter(files.values())), encoding="utf-8")
    again = {sheet.reader: sheet for sheet in exchange.read(path, study)}
    first = study.first_showings("reader-2")
    for at in first.values():
        assert again["reader-2"].replies[at].values == counting["reader-2"].replies[at].values
