"""What is kept of the work on a draft: rounds, tags and looks, each an append-only file under `RANSCORE_HOME/workbench/NAME/`.

```
rounds/0007.json   counts, ratios, tests and decisions of a round; no text
tags/0003.json     what somebody says about one error
proposals/0001.json  guidance that a model proposed
looks/0002.json    written before the held part is looked at, so that a crash cannot hide a look
```
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from harness.config.home import home
from harness.errors import InputError
from harness.storage import files, stored
from harness.storage.stored import Source
from harness.types import Json
from validation.extractors.results import ExtractorResult, Validation
from validation.workbench.proposals import Proposal

T = TypeVar("T")
SCHEMA = 1
TAGS = ("synonym", "negation", "hedge", "history", "ambiguity", "reader-error")
"""Why an answer is wrong."""
_REMEDY = "Restore the file from a backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One try of a draft: what it was and what it is."""

    number: int
    pack: str
    """Digest of the draft as a pack."""
    protocol: str
    """Digest of pack and model."""
    model: str
    """Id of the model, and its revision."""
    questions: Mapping[str, str]
    """By finding the digest of its question; `*` with the protocol's in the mode `joint`."""
    asked: int
    """How many questions the model was asked for it."""
    result: Validation
    """The round before and this one, or this one alone, on the part *tune*."""
    decisions: Mapping[str, str] = field(repr=False)
    """By item the decisions of this round, one character a finding."""
    created: str = field(default="", compare=False)
    origins: Mapping[str, str] = field(default_factory=dict)
    """By finding which model's proposal the draft follows, word by word."""

    @property
    def now(self) -> ExtractorResult:
        """The draft of this round."""
        return self.result.extractors[-1]


@dataclass(frozen=True, slots=True)
class RoundHistory:
    """Every finding over the rounds of a draft."""

    numbers: tuple[int, ...]
    findings: Mapping[str, tuple[tuple[float, float], ...]]
    """By finding the accuracy and F1 of each round."""


@dataclass(frozen=True, slots=True)
class Tag:
    """What somebody says about one wrong answer."""

    round: int
    item: str
    finding: str
    tag: str
    """One of `TAGS`."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the held part."""

    pack: str
    standard: str
    when: str


@dataclass(frozen=True, slots=True)
class RoundLog:
    """The folder of one draft."""

    path: Path

    def rounds(self) -> tuple[Round, ...]:
        """All rounds, in order.

        Raises:
            InputError: One was damaged or changed.
        """
        return tuple(self._read(path, Round) for path in sorted((self.path / "rounds").glob("*.json")))

    def history(self) -> RoundHistory:
        """Accuracy and F1 of every finding over all rounds.

        Raises:
            InputError: A round was damaged or changed.
        """
        listed = self.rounds()
        by_round = [{item.finding: (item.accuracy.value, item.f1.value) for item in one.now.parts[0].findings} for one in listed]
        names = by_round[0] if by_round else {}
        return RoundHistory(tuple(one.number for one in listed), {name: tuple(own[name] for own in by_round) for name in names})

    def last(self) -> Round | None:
        """The newest round."""
        paths = sorted((self.path / "rounds").glob("*.json"))
        return self._read(paths[-1], Round) if paths else None

    def add_round(self, made: Round) -> bool:
        """Keep a round; False where another process kept one of this number first."""
        return files.create(self.path / "rounds" / f"{made.number:04d}.json", _dumps({"schema": SCHEMA, **asdict(made)}), private=True)

    def tags(self) -> tuple[Tag, ...]:
        """All tags, oldest first; of one error the last counts."""
        return tuple(self._read(path, Tag) for path in sorted((self.path / "tags").glob("*.json")))

    def add_tag(self, tag: Tag) -> None:
        """Keep a tag."""
        self._append("tags", {"schema": SCHEMA, **asdict(tag)})

    def proposals(self) -> tuple[Proposal, ...]:
        """All proposals of models, oldest first."""
        return tuple(self._read(path, Proposal) for path in sorted((self.path / "proposals").glob("*.json")))

    def add_proposal(self, made: Proposal) -> Proposal:
        """Keep a proposal under the next free number, and return it with that number."""
        number = len(self.proposals()) + 1
        while not files.create(self.path / "proposals" / f"{number:04d}.json", _dumps(_json(replace(made, number=number))), private=True):
            number += 1
        return replace(made, number=number)

    def looks(self) -> tuple[Look, ...]:
        """All looks at the held part."""
        return tuple(self._read(path, Look) for path in sorted((self.path / "looks").glob("*.json")))

    def look(self, look: Look) -> int:
        """Note a look before it happens.

        Returns:
            How many there are now.
        """
        self._append("looks", {"schema": SCHEMA, **asdict(look)})
        return len(self.looks())

    def _append(self, kind: str, data: Json) -> None:
        number = len(list((self.path / kind).glob("*.json"))) + 1
        while not files.create(self.path / kind / f"{number:04d}.json", _dumps(data), private=True):
            number += 1

    @staticmethod
    def _read(path: Path, kind: type[T]) -> T:
        source = Source(str(path), "an event of the workbench", _REMEDY, InputError)
        data = stored.read_object(path, source)
        stored.schema_of(data, source, SCHEMA)
        return stored.shaped(kind, {name: value for name, value in data.items() if name != "schema"}, source)


def _json(made: Proposal) -> Json:
    return {"schema": SCHEMA, **asdict(made)}


def _dumps(data: Json) -> str:
    return json.dumps(stored.seal(data), ensure_ascii=False, indent=1) + "\n"


def of(name: str) -> RoundLog:
    """The folder of a draft."""
    return RoundLog(home() / "workbench" / name)
