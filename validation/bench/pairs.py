"""Pairs of reports that differ by one edit: any number of them, from a seed, with a digest."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from harness.cohorts.synthetic.cohort import LANGUAGES, invent
from harness.errors import InputError, Problem, UsageError
from harness.quiet import Quiet
from harness.signature import digest as digest_of
from harness.storage import files
from harness.types import Json
from validation.bench.drafts import bench_words, text_of, words, write
from validation.bench.edits import Maker, edit
from validation.bench.kinds import KINDS, SAME, EditGroup, group_of

GENERATED = "generated"
_STREAMS = {"invented": "added", "remark added": "added", "omitted": "dropped", "remark dropped": "dropped"}
"""Kinds that share their random numbers: what is added, or dropped, has one length in a report."""
_ERRORS = {"two errors": 2, "three errors": 3}


@dataclass(frozen=True, slots=True, repr=False)
class BenchPair(Quiet):
    """A reference, and a candidate that differs from it by one edit."""

    id: str
    reference_id: str
    kind: str
    reference: str = field(repr=False)
    candidate: str = field(repr=False)
    language: str = "en"
    source: str = GENERATED
    significant: bool = True
    """Whether a reader would say that the edit matters."""
    truth: frozenset[str] | None = None
    """The findings that the reference states; None where nobody knows."""
    stated: frozenset[str] | None = None
    """The findings that the candidate states."""

    @property
    def errors(self) -> int:
        """How many errors were made."""
        return _ERRORS.get(self.kind, int(group_of(self.kind) in (EditGroup.SIGNIFICANT, EditGroup.ATTRIBUTE)))

    @property
    def longer(self) -> int:
        """Words of the candidate less those of the reference."""
        return len(words(self.candidate)) - len(words(self.reference))


def generate(count: int, seed: int = 0, language: str = "en") -> tuple[BenchPair, ...]:
    """Make pairs: of each synthetic report one with itself, and one for every kind of edit that it allows.

    Args:
        count: How many; the last report may have fewer kinds.
        seed: The same seed gives the same pairs; a larger count only adds some.
        language: `en` or `zh`.

    Raises:
        UsageError: There is no such language, or the count is below 1.
    """
    if language not in LANGUAGES or count < 1:
        raise UsageError(f"pairs are made in {' or '.join(LANGUAGES)}, at least 1, not {count} in {language!r}")
    found: list[BenchPair] = []
    number = 0
    while len(found) < count:
        found.extend(_of_report(number, seed, language))
        number += 1
    return tuple(found[:count])


def _of_report(number: int, seed: int, language: str) -> Iterator[BenchPair]:
    """All pairs of one report; each kind has random numbers of its own."""
    name = f"{language}-{seed}-{number:06d}"
    # A cohort of one study has the case that this number and seed give, whatever the count.
    case = next(invent("test", 1, hash_of(name)))
    known = bench_words(language)
    draft = write(case, language, random.Random(f"{name}/report"))  # noqa: S311 - nothing here is a secret
    reference = text_of(draft, known)
    yield BenchPair(f"{name}/same", name, SAME.name, reference, reference, language, GENERATED, False, draft.present, draft.present)
    for kind in KINDS:
        maker = Maker(known, case.sides, random.Random(f"{name}/{_STREAMS.get(kind.name, kind.name)}"))  # noqa: S311
        edited = edit(kind.name, draft, maker)
        if edited is not None:
            significant = kind.group in (EditGroup.SIGNIFICANT, EditGroup.ATTRIBUTE)
            yield BenchPair(
                f"{name}/{kind.name}", name, kind.name, reference, edited[0], language, GENERATED, significant, draft.present, edited[1]
            )


def hash_of(name: str) -> int:
    """A seed from a name, the same on every machine."""
    return int(digest_of(name)[:8], 16)


def to_json(pair: BenchPair) -> Json:
    """A pair as one JSON object."""
    sets = {"truth": pair.truth, "stated": pair.stated}
    return {
        "id": pair.id,
        "reference_id": pair.reference_id,
        "kind": pair.kind,
        "significant": pair.significant,
        "language": pair.language,
        "source": pair.source,
        "reference": pair.reference,
        "candidate": pair.candidate,
        **{name: sorted(value) for name, value in sets.items() if value is not None},
    }


def digest(pairs: Iterable[BenchPair]) -> str:
    """SHA-256 over all pairs in their order."""
    return digest_of([to_json(pair) for pair in pairs])


def save(pairs: Sequence[BenchPair], path: Path) -> None:
    """Write pairs as JSON Lines."""
    files.write(path, "".join(json.dumps(to_json(pair), ensure_ascii=False) + "\n" for pair in pairs))


def load(path: Path) -> tuple[BenchPair, ...]:
    """Read pairs from JSON Lines.

    Raises:
        InputError: A line is not a pair.
    """
    found, wrong = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.append(_from_json(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError):
            wrong.append(Problem(f"{path}: line {number} is not a pair", "Write pairs with `ranscore bench pairs`"))
    if wrong or not found:
        raise InputError(wrong or [Problem(f"{path} has no pair", "Write pairs with `ranscore bench pairs`")])
    return tuple(found)


def _from_json(data: Json) -> BenchPair:
    group_of(data["kind"])
    truth, stated = (frozenset(data[key]) if key in data else None for key in ("truth", "stated"))
    name, reference_id, kind, reference, candidate = (str(data[key]) for key in ("id", "reference_id", "kind", "reference", "candidate"))
    return BenchPair(
        name,
        reference_id,
        kind,
        reference,
        candidate,
        data.get("language", "en"),
        data.get("source", "file"),
        bool(data["significant"]),
        truth,
        stated,
    )


def changed_words(pair: BenchPair) -> int:
    """How many words an edit takes away, adds or replaces; words that only move count once."""
    before, after = words(pair.reference), words(pair.candidate)
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return sum(max(end - start, stop - begin) for step, start, end, begin, stop in steps if step != "equal")
