"""A cohort with surrogates in place of what could name a patient: made by rules, checked by a person, and never said to be clean.

A first run writes what would be replaced, and what looks odd and would stay, into a folder of its own. Only when somebody has read both
is the cohort made. The folder also keeps the key, without which nobody can tell what a surrogate stands for; it does not belong beside
the cohort.
"""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path

from harness.cohorts import make
from harness.errors import InputError, Problem, RefusedError
from harness.formats.privacy import dates, repeated
from harness.formats.privacy.gazetteer import words
from harness.formats.privacy.span import Span
from harness.formats.privacy.spans import find, with_names
from harness.formats.privacy.surrogates import Surrogates
from harness.storage import files
from harness.storage.progress import progress
from harness.types import Cohort, Study, Text

CHECKED = "I read the list of replacements and the list of what remains"
"""What somebody types who has."""
COLUMNS = ("kind", "patient", "original", "surrogate", "times", "replace")
_ODD = re.compile(r"(?<![\w.-])(?:[A-Z][a-z'’-]{2,30}|\d[\d-]{2,30}\d|[A-Z]{1,3}\d{3,12})(?![\w-])")
_SENTENCE = re.compile(r"(?:^|[.!?:;\n]\s{0,3}|\d\.\s)$")
_FORMULA = tuple("=+-@\t\r")


@dataclass(frozen=True, slots=True)
class Replacement:
    """One thing that is replaced, everywhere in the file (a date: everywhere in a patient's reports)."""

    kind: str
    patient: str
    """Code of the patient, for a date; empty for the others."""
    original: str = field(repr=False)
    surrogate: str = field(repr=False)
    times: int = 1
    replaced: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        """What a person's decision is about."""
        return self.kind, self.patient, self.original


@dataclass(frozen=True, slots=True)
class Prepared:
    """A cohort with everything that would be replaced in it."""

    cohort: Cohort = field(repr=False)
    spans: Mapping[tuple[str, str], tuple[Span, ...]] = field(repr=False)
    """By study and section."""
    rows: tuple[Replacement, ...] = field(repr=False)
    codes: Mapping[str, str] = field(repr=False)
    """By study id and by patient id what takes its place."""


SECTIONS = tuple(item.name for item in fields(Text))


def prepare(cohort: Cohort, key: bytes, also: Sequence[str] = ()) -> Prepared:
    """Find everything, and choose its surrogates.

    Args:
        cohort: As it was read; nothing of it is changed.
        key: Secret of this file, 32 bytes.
        also: Words that are replaced too, wherever they occur.
    """
    own = {item.id: tuple(name for name in (item.id, item.patient, item.prior) if len(name) >= 4) for item in cohort.manifest.studies}
    spans = {
        (study, section): find(text, (*own[study], *also))
        for study, texts in progress(cohort.texts.items(), "Looking for what names patients", total=len(cohort.texts))
        for section in SECTIONS
        if (text := getattr(texts, section))
    }
    spans = _with_repeated(cohort, spans)
    surrogates = Surrogates(key, _words(cohort))
    codes = {item.id: surrogates.code("s", item.id) for item in cohort.manifest.studies}
    codes |= {f"patient {item.patient}": surrogates.code("p", item.patient) for item in cohort.manifest.studies}
    rows = [*_plain(cohort, spans, surrogates, codes), *_dates(cohort, spans, surrogates, codes)]
    return Prepared(cohort, spans, tuple(sorted(rows, key=lambda row: (row.kind, row.patient, row.original))), codes)


def _with_repeated(cohort: Cohort, spans: Mapping[tuple[str, str], tuple[Span, ...]]) -> dict[tuple[str, str], tuple[Span, ...]]:
    """What was found, and each name that was found in another report; not where the file has it as a plain word ("white", "long")."""
    texts = {place: getattr(cohort.texts[place[0]], place[1]) for place in spans}
    plain = {word for text in texts.values() for word in re.findall(r"(?<![^\W\d_])[^\W\d_A-Z\u4e00-\u9fff〇]{3,30}(?![^\W\d_])", text)}
    named = {name for place, found in spans.items() for name in repeated.names(texts[place], found) if name.lower() not in plain}
    known = {form for name in named for form in (name, name.upper(), name.capitalize())}
    return {place: with_names(texts[place], found, known) for place, found in spans.items()}


def _words(cohort: Cohort) -> frozenset[str]:
    return frozenset(
        word.lower()
        for texts in cohort.texts.values()
        for section in SECTIONS
        for word in re.findall(r"[^\W\d_]{2,40}", getattr(texts, section))
    )


def _plain(
    cohort: Cohort, spans: Mapping[tuple[str, str], tuple[Span, ...]], surrogates: Surrogates, codes: Mapping[str, str]
) -> Iterable[Replacement]:
    counts = Counter(
        (span.kind, getattr(cohort.texts[study], section)[span.start : span.end])
        for (study, section), own in spans.items()
        for span in own
        if span.kind != "date"
    )
    for (kind, original), times in sorted(counts.items()):
        code = codes.get(original) or codes.get(f"patient {original}")
        yield Replacement(kind, "", original, code or surrogates.of(kind, original), times)


def _dates(
    cohort: Cohort, spans: Mapping[tuple[str, str], tuple[Span, ...]], surrogates: Surrogates, codes: Mapping[str, str]
) -> Iterable[Replacement]:
    """Each patient's dates, moved by the same number of whole weeks."""
    day_first = dates.reads_day_first(getattr(texts, section) for texts in cohort.texts.values() for section in SECTIONS)
    owner = {item.id: item.patient for item in cohort.manifest.studies}
    by_patient: dict[str, list[tuple[str, dates.Found | None]]] = {}
    for (study, section), own in spans.items():
        for span in own:
            if span.kind == "date":
                words_of = getattr(cohort.texts[study], section)[span.start : span.end]
                read = dates.find_in(words_of, day_first)
                by_patient.setdefault(owner[study], []).append((words_of, read[0] if read else None))
    for patient, found in sorted(by_patient.items()):
        whole = [item for _, item in found if item]
        year = next((item.year for item in whole if item.year), 2001)
        days = shift(patient, whole, year, surrogates)
        one = dict(found)
        for words_of, times in sorted(Counter(words_of for words_of, _ in found).items()):
            item = one[words_of]
            made = dates.moved(item, days, year) if item and days else "[date]"
            yield Replacement("date", codes[f"patient {patient}"], words_of, made, times)


def shift(patient: str, found: Sequence[dates.Found], year: int, surrogates: Surrogates) -> int:
    """How many days a patient's dates are moved: whole weeks into the past, such that no order changes.

    Returns:
        0 where no move keeps the order of dates that have no year: these patients' dates are masked.
    """
    partial = [item for item in found if item.year is None]
    for turn in range(200):
        days = -7 * (5 + surrogates.number("days", patient, str(turn)) % 200)
        places = sorted((dates.order(item), dates.order_after(item, days, year)) for item in partial)
        if all(one[1] <= other[1] for one, other in pairwise(places)):
            return days
    return 0


def apply(prepared: Prepared, decisions: Mapping[tuple[str, str, str], tuple[str, bool]]) -> Cohort:
    """The cohort with surrogates.

    Args:
        prepared: From `prepare`.
        decisions: By a row's key what a person decided: the surrogate, and whether it is replaced at all.
    """
    cohort, codes = prepared.cohort, prepared.codes
    owner = {item.id: codes[f"patient {item.patient}"] for item in cohort.manifest.studies}
    texts = {}
    for name, text in cohort.texts.items():
        made = {}
        for section in SECTIONS:
            whole, last, parts = getattr(text, section), 0, []
            for span in prepared.spans.get((name, section), ()):
                original = whole[span.start : span.end]
                surrogate, replaced = decisions[(span.kind, owner[name] if span.kind == "date" else "", original)]
                parts += [whole[last : span.start], surrogate if replaced else original]
                last = span.end
            made[section] = "".join([*parts, whole[last:]])
        texts[codes[name]] = Text(**made)
    manifest = cohort.manifest
    return make(
        manifest.name,
        [_study(item, codes) for item in manifest.studies],
        texts,
        section=manifest.section,
        access=manifest.access,
        language=manifest.language,
        source=f"{manifest.source}; names, dates, numbers and places replaced by rules and checked by a person, which does not prove that none is left",
        labels={codes[name]: labels for name, labels in cohort.labels.items()},
    )


def _study(item: Study, codes: Mapping[str, str]) -> Study:
    """Codes for ids; no films, whose paths are ids; nobody is older than 90."""
    age = None if item.age is None else min(item.age, 90.0)
    plain = replace(item, id=codes[item.id], patient=codes[f"patient {item.patient}"], images=(), frontal="", lateral="", age=age)
    return replace(plain, prior=codes.get(item.prior, ""))


def remaining(prepared: Prepared) -> dict[str, int]:
    """Words with a capital inside a sentence, and numbers, that no rule took: where a miss would be seen."""
    counts: Counter[str] = Counter()
    for name, text in prepared.cohort.texts.items():
        for section in SECTIONS:
            whole = getattr(text, section)
            taken = {at for span in prepared.spans.get((name, section), ()) for at in range(span.start, span.end)}
            for match in _ODD.finditer(whole):
                opening = match[0][0].isupper() and _SENTENCE.search(whole[max(0, match.start() - 5) : match.start()])
                if match.start() not in taken and not opening and match[0].lower() not in words("common"):
                    counts[match[0]] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def deidentify(cohort: Cohort, folder: Path, checked: str, tell: Callable[[str], None] = lambda note: None) -> Cohort:
    """The cohort with surrogates, once a person has read what is replaced.

    Args:
        cohort: As it was read.
        folder: Keeps key and lists, apart from the cohort.
        checked: The sentence `CHECKED`, typed by whoever read the lists.
        tell: Receives what was left out.

    Raises:
        RefusedError: Nobody has read the lists of this file yet. They are written.
        InputError: The lists were damaged.
    """
    also = _lines(folder / "also.txt")
    prepared = prepare(cohort, _key(folder), also)
    decisions = _decisions(folder / "replacements.csv")
    unread = {row.key for row in prepared.rows} != set(decisions)
    if unread or checked != CHECKED:
        _write(prepared, folder, decisions)
        what = f"the cohort is not made: nobody has read its {len(prepared.rows)} replacements"
        remedy = (
            f"Read {folder / 'replacements.csv'} (write no under replace to keep a word) and {folder / 'remaining.csv'} "
            f"(add words that must go to {folder / 'also.txt'}), then say --checked {CHECKED!r}"
        )
        raise RefusedError(Problem(what, remedy))
    if any(item.images for item in cohort.manifest.studies):
        tell("films are not linked: their paths and pixels may name patients, and nothing here looks at them")
    return apply(prepared, decisions)


def _key(folder: Path) -> bytes:
    """The secret of this file; made once."""
    path = folder / "key.json"
    files.create(path, json.dumps({"key": secrets.token_hex(32)}) + "\n", private=True)
    try:
        return bytes.fromhex(json.loads(path.read_text(encoding="utf-8"))["key"])
    except (ValueError, KeyError, TypeError):
        raise InputError(Problem("it holds no key", "Restore it from a backup, or name another folder", str(path))) from None


def _lines(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    return tuple(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip() and not line.startswith("#"))


def _decisions(path: Path) -> dict[tuple[str, str, str], tuple[str, bool]]:
    """What a person left in the list."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        found = {}
        for line in csv.DictReader(stream):
            if not all(isinstance(line.get(name), str) for name in COLUMNS):
                raise InputError(Problem("a column of the list is missing", "Remove the file and build again", str(path)))
            cells = {name: _plain_cell(line[name]) for name in COLUMNS}
            found[(cells["kind"], cells["patient"], cells["original"])] = (cells["surrogate"], cells["replace"].strip().lower() != "no")
    return found


def _write(prepared: Prepared, folder: Path, decisions: Mapping[tuple[str, str, str], tuple[str, bool]]) -> None:
    """Write both lists and the codes; what a person decided before stays."""
    rows = []
    for row in prepared.rows:
        surrogate, replaced = decisions.get(row.key, (row.surrogate, True))
        rows.append([row.kind, row.patient, row.original, surrogate, row.times, "yes" if replaced else "no"])
    files.write(folder / "replacements.csv", _table(COLUMNS, rows), private=True)
    files.write(folder / "remaining.csv", _table(("word", "times"), list(remaining(prepared).items())), private=True)
    codes = [
        [name.removeprefix("patient "), "patient" if name.startswith("patient ") else "study", code]
        for name, code in prepared.codes.items()
    ]
    files.write(folder / "codes.csv", _table(("id", "of", "code"), codes), private=True)
    files.create(folder / "also.txt", "# One word or phrase a line that must be replaced too.\n", private=True)


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    # A spreadsheet would take these for formulas.
    writer.writerows([f"'{cell}" if isinstance(cell, str) and cell[:1] in _FORMULA else cell for cell in row] for row in rows)
    return stream.getvalue()


def _plain_cell(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell
