"""Labels that were made elsewhere, moved without text and replayed: this is how a page shows a model's results without the model.

An export is a file of lines. The first says what it is; each of the others holds the keyed hash of one text and its decisions. The salt
is in the file, so whoever has the file and a text can tell whether the text is in it: hence the confirmation that the export of
credentialed labels asks for.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import InputError, Problem, RefusedError, UnavailableError, UsageError
from harness.extractors.answers import Answer, Decision, packed, unpacked
from harness.extractors.cache import Cache, keyed, opened
from harness.extractors.llm.pack import ASKED
from harness.extractors.llm.reading import labels, report_status
from harness.quiet import Quiet
from harness.signature import digest
from harness.storage import files
from harness.types import Access, Json, Labels, ReportStatus

FORMAT = "ranscore-labels"
SCHEMA = 1
AGREEMENT = "I may share these labels under the data use agreement"
"""What somebody types who exports labels of credentialed text."""


@dataclass(frozen=True, slots=True, repr=False)
class Recording(Quiet):
    """An export, read."""

    protocol: str
    """Digest of the extractor that made the labels."""
    access: Access
    official: bool
    by: str
    """Which pack was asked of which model."""
    salt: bytes = field(repr=False)
    decisions: dict[bytes, tuple[Decision, ...]] = field(repr=False)
    """By keyed hash of the text, the 20 decisions in the order of `pack.ASKED`."""


def write(
    path: Path,
    cache: Cache,
    protocol: str,
    texts: Iterable[str],
    access: Access,
    agreement: str = "",
    official: bool = False,
    by: str = "",
) -> int:
    """Export the labels of texts.

    Args:
        path: The file to write; nothing but hashes and decisions goes into it.
        cache: Where the answers are.
        protocol: The protocol's digest.
        texts: Whose labels; identical ones are written once, those without a full set of answers are passed over.
        access: Whether the texts are open.
        agreement: The sentence `AGREEMENT`, typed by whoever exports; needed for credentialed texts.
        official: Whether the protocol is the authors' own.
        by: Which pack was asked of which model, in words.

    Returns:
        How many different texts' labels were written.

    Raises:
        RefusedError: The texts are credentialed and the agreement is not there.
    """
    if access is Access.CREDENTIALED and agreement != AGREEMENT:
        raise RefusedError(
            Problem(
                "labels of credentialed reports are themselves derived data under PhysioNet's data use agreement",
                f"If you may share them, say --agree {AGREEMENT!r}; if the reports are public, say --open",
            )
        )
    salt, rows = secrets.token_bytes(32), {}
    for text in texts:
        found = complete(cache, protocol, text)
        if found is not None:
            rows[keyed(salt, text).hex()] = packed(found)
    body = [json.dumps([key, rows[key]]) for key in sorted(rows)]
    head = {
        "format": FORMAT,
        "schema": SCHEMA,
        "protocol": protocol,
        "official": official,
        "by": by,
        "access": access.value,
        "salt": salt.hex(),
        "findings": list(ASKED),
        "rows": len(rows),
        "digest": digest(sorted(rows.items())),
    }
    files.write(path, "\n".join([json.dumps(head), *body]) + "\n")
    return len(rows)


def complete(cache: Cache, protocol: str, text: str) -> tuple[Decision, ...] | None:
    """All 20 decisions about a text, in order; None where one was never made."""
    found = cache.find(protocol, cache.keys(text))
    if "*" in found:
        return found["*"].decisions
    if not all(name in found for name in ASKED):
        return None
    return tuple(found[name].decisions[0] for name in ASKED)


def read(path: Path) -> Recording:
    """Read an export.

    Raises:
        InputError: It is not one, or it was changed.
    """
    try:
        head_line, *lines = path.read_text(encoding="utf-8").splitlines()
        head: Json = json.loads(head_line)
        rows = dict(json.loads(line) for line in lines)
        if head["format"] != FORMAT or head["schema"] != SCHEMA or head["findings"] != list(ASKED):
            raise ValueError("another format")
        if head["digest"] != digest(sorted(rows.items())) or len(rows) != len(lines) or len(str(head["protocol"])) != 64:
            raise ValueError("changed")
        decisions = {bytes.fromhex(key): unpacked(value) for key, value in rows.items()}
        if any(len(value) != len(ASKED) for value in decisions.values()):
            raise ValueError("short")
        by = "".join(char for char in str(head.get("by", ""))[:200] if char.isprintable())
        return Recording(
            str(head["protocol"]), Access(head["access"]), head["official"] is True, by, bytes.fromhex(head["salt"]), decisions
        )
    except OSError as error:
        raise InputError(Problem(f"it cannot be read ({error.strerror})", file=str(path))) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(Problem("it is not an export of labels, or it was changed", "Export it again", str(path))) from None


def merge(recording: Recording, cache: Cache) -> int:
    """Put an export's labels into a cache.

    Returns:
        How many texts are new there.
    """
    answers = [Answer("*", key, value, "", "imported") for key, value in recording.decisions.items()]
    return cache.add_imported(recording.protocol, recording.salt, answers)


class Recorded:
    """Replays labels; it carries the digest of the extractor that made them, so its scores rank with that extractor's own."""

    name = "recorded"
    vocabulary = "ran-21"

    def __init__(self, protocol: str, recording: Recording | None, official: bool = False, by: str = "") -> None:
        self.digest = protocol
        self.official = recording.official if recording else official
        self.by = recording.by if recording else by
        self._recording = recording

    def extract(self, texts: Sequence[str]) -> Sequence[Labels]:
        """Look every text up; one that was never labelled is failed in all findings, never absent."""
        if self._recording is not None:
            recording = self._recording
            return [_replay(text, recording.decisions.get(keyed(recording.salt, text))) for text in texts]
        with opened() as cache:
            return [_replay(text, complete(cache, self.digest, text)) for text in texts]


def _replay(text: str, decisions: tuple[Decision, ...] | None) -> Labels:
    status = report_status(text)
    return labels(decisions if status is ReportStatus.OK else None, text, status)


def make(path: str | Path = "", protocol: str = "", **options: object) -> Recorded:
    """Make the extractor.

    Args:
        path: An export to replay.
        protocol: Where there is no export: the digest, or the beginning of it, of a protocol whose answers are in this home's cache.
        options: Options of the `llm` extractor (pack, mode, model, ...), as another way to name the protocol.

    Raises:
        UsageError: None or several protocols are meant.
        UnavailableError: The cache holds no answers of that protocol.
    """
    if path:
        recording = read(Path(path))
        return Recorded(recording.protocol, recording)
    official, by = False, ""
    if not protocol and options:
        from harness.extractors.llm.extractor import protocol_of

        asked = protocol_of(**options)  # type: ignore[arg-type]
        protocol, official, by = asked.digest, asked.official, asked.by
    with opened() as cache:
        found = [name for name in cache.protocols() if name.startswith(protocol)]
    if not found:
        raise UnavailableError("the cache holds no recorded labels of this protocol; `ranscore cache import` brings some")
    if len(found) > 1:
        raise UsageError(f"the cache holds labels of {len(found)} protocols: say which of {', '.join(name[:12] for name in found)}")
    return Recorded(found[0], None, official, by)
