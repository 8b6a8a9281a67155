"""The standard that follows from a study: labels by its rule, with the digests of everything it rests on."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.errors import InputError, Problem, RefusedError
from harness.formats import label_files
from harness.signature import digest as digest_of
from harness.storage import files
from harness.types import Json, Labels
from validation.readers import tables
from validation.readers.folder import Folder, dumps, read_json
from validation.readers.rule import Answers, Decision, answers, decide
from validation.readers.sheets import Sheet
from validation.readers.study import ReadingStudy

FORMAT = "ranscore-readers-standard"
SCHEMA = 1
SIGNED = ("format", "schema", "kind", "study", "sheets", "rule", "looks", "open", "answers", "undecided")
"""What the digest of a standard is over. Agreement follows from it and is computed again by `readers check`."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A standard with the table of its answers."""

    data: Json
    """`standard.json`, without its digest."""
    table: str
    """`labels.csv` or `answers.csv`."""

    @property
    def digest(self) -> str:
        """The standard's digest."""
        return digest(self.data)


def digest(data: Json) -> str:
    """The digest of a standard's content."""
    return digest_of({key: data[key] for key in SIGNED})


def table_name(kind: str) -> str:
    """What the table of answers is called."""
    return "labels.csv" if kind == "findings" else "answers.csv"


def still_open(study: ReadingStudy, counting: Mapping[str, Sheet]) -> tuple[str, ...]:
    """The readers whose sheet is not complete and submitted."""
    return tuple(reader for reader in study.readers if reader not in counting or not counting[reader].closed(study))


def guard(folder: Folder, study: ReadingStudy, counting: Mapping[str, Sheet], interim: bool, when: str) -> tuple[str, ...]:
    """Keep a coordinator from looking at agreement before all sheets are in; an early look is noted for ever.

    Returns:
        The readers whose sheet is open.

    Raises:
        RefusedError: A sheet is open, and nobody asked for an interim look.
    """
    waiting = still_open(study, counting)
    if waiting and not interim:
        what = f"{len(waiting)} of {len(study.readers)} sheets are open ({', '.join(waiting)}): whoever sees agreement now could steer it"
        raise RefusedError(
            Problem(what, "Wait for the readers, or say --interim, which is written into the standard for ever", str(folder.path))
        )
    if waiting:
        folder.look(when, waiting)
    return waiting


def settle(study: ReadingStudy, counting: Mapping[str, Sheet], looks: int) -> Settled:
    """Apply the rule to every question of every item.

    Args:
        study: The frozen study.
        counting: By reader the submission that counts.
        looks: How often somebody looked at the agreement while sheets were open.

    Returns:
        The standard: the same whatever the order of sheets and items.
    """
    found = answers(study, counting)
    decided = {one.question.id: [decide(row, study.at_least) for row in one.first] for one in found}
    causes = {name: Counter(item.cause or "uncertain" for item in row if item.value in (None, -1)) for name, row in decided.items()}
    table = _labels(study, decided) if study.kind == "findings" else _means(study, found)
    data: Json = {
        "format": FORMAT,
        "schema": SCHEMA,
        "kind": study.kind,
        "study": study.digest,
        "sheets": sorted(sheet.digest for sheet in counting.values()),
        "rule": {"at_least": study.at_least, "of": len(study.readers)},
        "looks": looks,
        "open": list(still_open(study, counting)),
        "answers": digest_of(table),
        "undecided": {name: dict(sorted(count.items())) for name, count in sorted(causes.items()) if count},
        "cohort": {
            "name": study.cohort.name,
            "digest": study.cohort.digest,
            "access": study.cohort.access.value,
            "language": study.cohort.language,
        },
        "draw": {"how": study.draw.how, "part": study.draw.part, "of": study.draw.of},
        "strata": _strata(study),
        "threshold": study.threshold,
        "agreement": tables.make(study, found),
    }
    return Settled(data, table)


def _labels(study: ReadingStudy, decided: Mapping[str, Sequence[Decision]]) -> str:
    """The label file, one row an item; *No Finding* by its rule."""
    labels: dict[str, Labels] = {}
    for index, item in enumerate(study.items):
        labels[item.row] = label_files.from_rows({name: row[index].value for name, row in decided.items()})
    return label_files.dumps(labels)


def _means(study: ReadingStudy, found: Sequence[Answers]) -> str:
    """One line an item: the mean of the readers' answers to each question, and how many answered."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["study_id", "system", *(column for one in found for column in (one.question.id, f"{one.question.id}:readers"))])
    for index, item in enumerate(study.items):
        row: list[object] = [item.study, item.system_name]
        for one in found:
            given = [value for value in one.first[index] if isinstance(value, int)]
            row += [format(float(np.mean(given)), ".6g") if given else "", len(given)]
        writer.writerow(row)
    return stream.getvalue()


def _strata(study: ReadingStudy) -> list[Json]:
    """How many studies were drawn from each stratum, and how many studies they stand for."""
    studies = {item.study: item for item in study.items}.values()
    drawn = Counter(item.stratum for item in studies)
    weight = {item.stratum: item.weight for item in studies}
    return (
        [{"stratum": name, "drawn": count, "of": round(count * weight[name])} for name, count in sorted(drawn.items())]
        if len(drawn) > 1
        else []
    )


def write(folder: Folder, settled: Settled) -> bool:
    """Write `standard.json` and its table.

    Returns:
        Whether it is new: settling again what is settled changes nothing.

    Raises:
        RefusedError: Another standard was settled here: what was measured against it must stay comparable.
    """
    kind = settled.data["kind"]
    path = folder.path / "standard.json"
    if path.is_file():
        known = read_json(path).get("digest")
        if known != settled.digest:
            what = f"this study was settled as {str(known)[:12]}, and its sheets now give {settled.digest[:12]}"
            raise RefusedError(Problem(what, "A changed standard is another standard: write it with --as NAME", str(path)))
        return False
    files.write(folder.path / table_name(kind), settled.table)
    files.write(path, dumps(settled.data | {"digest": settled.digest}))
    return True


def load(path: Path) -> Json:
    """A settled standard.

    Raises:
        InputError: There is none, or it was changed.
    """
    file = path / "standard.json"
    if not file.is_file():
        raise InputError(Problem("this study is not settled", f"Run `ranscore readers settle {path.name}`", str(file)))
    data = read_json(file)
    try:
        if data["format"] != FORMAT or data["schema"] != SCHEMA or data["digest"] != digest(data):
            raise ValueError("changed")
    except (KeyError, ValueError, TypeError):
        raise InputError(Problem("it is not a standard, or it was changed", "Restore the file from a backup", str(file))) from None
    return data


def labels_of(path: Path) -> dict[str, Labels]:
    """The labels of a settled standard of findings, checked against its digest.

    Raises:
        InputError: They are not those of the standard.
    """
    data = load(path)
    file = path / "labels.csv"
    if data["kind"] != "findings" or not file.is_file() or digest_of(file.read_text(encoding="utf-8")) != data["answers"]:
        raise InputError(Problem("the label file is not that of the standard", f"Run `ranscore readers check {path.name}`", str(file)))
    return label_files.read(file)
