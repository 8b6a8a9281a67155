"""The result of a bench: figures by metric and kind, without scores of single pairs, kept with a digest."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from itertools import product
from pathlib import Path

from harness.config.home import home
from harness.errors import InputError, Problem
from harness.signature import digest as digest_of
from harness.storage import files
from harness.types import Json
from validation.bench import pairs as made
from validation.bench.estimates import Estimate
from validation.bench.kinds import KINDS, SAME, group_of
from validation.bench.measures import KindMeasure, MetricMeasure
from validation.bench.pairs import BenchPair

FORMAT = "ranscore-bench"
SCHEMA = 1
LANGUAGES = ("en", "zh")
_REMEDY = "Run `ranscore bench` again"


@dataclass(frozen=True, slots=True)
class KindShape:
    """How large the edits of a kind are."""

    kind: str
    pairs: int
    words: float
    """Mean number of words that an edit changes."""
    longer: float
    """Mean of the candidate's words less the reference's."""


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What metrics made of one set of pairs."""

    language: str
    source: str
    """`generated`, or where else the pairs come from."""
    seed: int | None
    pairs: int
    references: int
    pairs_digest: str
    shapes: tuple[KindShape, ...]
    metrics: tuple[MetricMeasure, ...]
    """The first is the one that the others are tested against."""
    unavailable: Mapping[str, str]
    """Metrics that could not run, each with the reason."""
    examples: Mapping[str, tuple[str, str]]
    """By kind a reference and a candidate; empty where the texts may not be passed on."""
    created: str = ""
    """UTC, ISO 8601; not part of the digest."""

    @property
    def digest(self) -> str:
        """SHA-256 over everything but the time."""
        return digest_of({**asdict(self), "created": "", "format": FORMAT, "schema": SCHEMA})

    def metric(self, name: str) -> MetricMeasure | None:
        """The measures of a metric, by its name with its recipe."""
        return next((item for item in self.metrics if item.name == name), None)


def shapes(pairs: Sequence[BenchPair]) -> tuple[KindShape, ...]:
    """The size of the edits of every kind, in the order of the kinds."""
    by_kind: dict[str, list[BenchPair]] = defaultdict(list)
    for pair in pairs:
        by_kind[pair.kind].append(pair)
    return tuple(_shape(kind.name, by_kind[kind.name]) for kind in KINDS if kind.name in by_kind)


def _shape(kind: str, pairs: Sequence[BenchPair]) -> KindShape:
    count = len(pairs)
    return KindShape(kind, count, sum(map(made.changed_words, pairs)) / count, sum(pair.longer for pair in pairs) / count)


def examples(pairs: Sequence[BenchPair]) -> dict[str, tuple[str, str]]:
    """By kind the pair with the shortest reference."""
    found: dict[str, BenchPair] = {}
    for pair in pairs:
        if pair.kind != SAME.name and (pair.kind not in found or len(pair.reference) < len(found[pair.kind].reference)):
            found[pair.kind] = pair
    return {kind: (pair.reference, pair.candidate) for kind, pair in found.items()}


def to_json(result: BenchResult) -> Json:
    """The result as a JSON object."""
    return {"format": FORMAT, "schema": SCHEMA, "digest": result.digest, **asdict(result)}


def from_json(data: Json, file: str = "") -> BenchResult:
    """A result from its JSON object.

    Raises:
        InputError: It is none, or it was changed.
    """
    try:
        known = {key: value for key, value in data.items() if key not in ("format", "schema", "digest")}
        known["shapes"] = tuple(KindShape(**item) for item in known["shapes"])
        known["metrics"] = tuple(_measure(item) for item in known["metrics"])
        known["examples"] = {kind: (two[0], two[1]) for kind, two in known["examples"].items()}
        for kind in known["examples"]:
            group_of(kind)
        result = BenchResult(**known)
        good = data["format"] == FORMAT and data["schema"] == SCHEMA and data["digest"] == result.digest
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        good = False
    if not good:
        raise InputError(Problem(f"{file or 'the file'} is not the result of a bench, or was changed", _REMEDY))
    return result


def _measure(item: Json) -> MetricMeasure:
    parts: Json = {key: Estimate(**value) if isinstance(value, dict) and "references" in value else value for key, value in item.items()}
    parts["kinds"] = {kind: _kind(value) for kind, value in item["kinds"].items()}
    parts["tests"] = {name: (two[0], two[1]) for name, two in item["tests"].items()}
    return MetricMeasure(**parts)


def _kind(value: Json) -> KindMeasure:
    auc, auc_all, keeps = (Estimate(**value[name]) for name in ("auc", "auc_all", "keeps"))
    return KindMeasure(auc, auc_all, keeps, value["drop"])


def root() -> Path:
    """The folder of results."""
    return home() / "bench"


def save(result: BenchResult, folder: Path | None = None) -> Path:
    """Keep a result; one of the same language and source is replaced."""
    path = (folder or root()) / f"{result.source}-{result.language}.json"
    files.write(path, json.dumps(to_json(result), ensure_ascii=False, separators=(",", ":")) + "\n")
    return path


def load(path: Path) -> BenchResult:
    """Read a result.

    Raises:
        InputError: There is none, or it was changed.
    """
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")), str(path))
    except FileNotFoundError:
        raise InputError(Problem(f"{path} is not there", "Run `ranscore bench`")) from None
    except ValueError:
        raise InputError(Problem(f"{path} is not JSON", _REMEDY)) from None


@cache
def shipped(language: str, source: str = made.GENERATED) -> BenchResult:
    """The result that comes with the program: what a page shows where nobody ran a bench."""
    place = resources.files("validation.bench").joinpath("shipped", f"{source}-{language}.json")
    return from_json(json.loads(place.read_text(encoding="utf-8")), f"shipped {language}")


def found(roots: Sequence[Path]) -> tuple[BenchResult, ...]:
    """For every language and source the newest result below these folders, else the one of the program; a damaged one is left out."""
    listed: dict[tuple[str, str], BenchResult] = {}
    for path in kept(roots):
        try:
            result = load(path)
        except InputError:
            continue
        key = (result.source, result.language)
        if key not in listed or listed[key].created < result.created:
            listed[key] = result
    for source, language in product((made.GENERATED, "second-hand", "held-out"), LANGUAGES):
        listed.setdefault((source, language), shipped(language, source))
    return tuple(item for (source, _), item in listed.items() if source in (made.GENERATED, "second-hand", "held-out"))


def kept(roots: Sequence[Path]) -> Iterator[Path]:
    """The files of all kept results."""
    for root in roots:
        yield from sorted(root.glob("*.json"))


def stamp(roots: Sequence[Path]) -> str:
    """Changes when a result appears or changes."""
    return str([(path.name, path.stat().st_mtime_ns) for path in kept(roots)])
