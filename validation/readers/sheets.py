"""What a reader submits, read as what strangers wrote: every problem is named, and nothing of it is quoted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.errors import InputError, Problem
from harness.formats.complaints import Complaints
from harness.signature import digest as digest_of
from harness.types import Json
from validation.readers.questions import Question, Value
from validation.readers.study import ReadingStudy

FORMAT = "ranscore-readers-sheet"
SCHEMA = 1
MAX_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A reader's answers about one showing."""

    values: Mapping[str, Value] = field(repr=False)
    """By question id; a question that is not there is open."""
    rest: tuple[str, ...] = ()
    """The questions that were answered by the act "the rest is absent"."""
    seconds: float = 0.0
    """How long the report was on the screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One submission."""

    study: str
    """The study's digest."""
    reader: str
    replies: Mapping[int, Reply]
    """By position, counted from 1."""
    attested: bool = False
    """Whether the reader confirmed to have read alone."""
    source: str = "file"
    """`file`, `served`, or `import` where the answers were collected by another program."""
    number: int = 0
    """Counts the submissions of a reader; 0 before it is kept."""

    @property
    def digest(self) -> str:
        """SHA-256 over everything."""
        return digest_of(to_json(self))

    def done(self, study: ReadingStudy) -> int:
        """How many showings are complete."""
        return sum(complete(study, self.replies.get(at)) for at in range(1, len(study.orders[self.reader]) + 1))

    def closed(self, study: ReadingStudy) -> bool:
        """Whether it is complete and attested (what was collected elsewhere carries no sentence of ours)."""
        whole = self.done(study) == len(study.orders[self.reader])
        return whole and (self.attested or self.source == "import")

    def value(self, position: int, question: str) -> Value | None:
        """One answer; None where it is open."""
        reply = self.replies.get(position)
        return reply.values.get(question) if reply else None


def complete(study: ReadingStudy, reply: Reply | None) -> bool:
    """Whether every required question has an answer."""
    return reply is not None and all(item.id in reply.values for item in study.form.questions if item.required)


def to_json(sheet: Sheet) -> Json:
    """A sheet as JSON."""
    replies = {str(at): reply_json(reply) for at, reply in sorted(sheet.replies.items())}
    plain = {key: getattr(sheet, key) for key in ("study", "reader", "attested", "source", "number")}
    return {"format": FORMAT, "schema": SCHEMA, **plain, "answers": replies}


def reply_json(reply: Reply) -> Json:
    """One reply as JSON."""
    return {"values": dict(sorted(reply.values.items())), "rest": sorted(reply.rest), "seconds": round(reply.seconds, 1)}


def read(data: bytes, study: ReadingStudy, file: str) -> Sheet:
    """A sheet from the content of a file.

    Args:
        data: The file.
        study: The study it must belong to.
        file: As the user named it.

    Raises:
        InputError: It is no sheet of this study; with everything that is wrong.
    """
    complaints = Complaints(file)
    loaded = _json(data, file)
    if loaded.get("format") != FORMAT or loaded.get("schema") != SCHEMA:
        raise InputError(Problem("it is not a sheet that a reader saved", "Give the file that *Save a copy* or *Submit* wrote", file))
    if loaded.get("study") != study.digest:
        complaints.add("study", "it belongs to another study", "Give it to `ranscore readers take` with the name of its own study")
    reader = loaded.get("reader")
    if not isinstance(reader, str) or reader not in study.orders:
        complaints.add("reader", "it names no reader of this study", "The file was changed: let the reader save it again")
        complaints.check()
        raise AssertionError
    replies = parse_replies(loaded.get("answers"), study, reader, complaints)
    complaints.check()
    source, number = loaded.get("source"), loaded.get("number")
    return Sheet(
        study=study.digest,
        reader=reader,
        replies=replies,
        attested=loaded.get("attested") is True,
        source=source if source in ("served", "import") else "file",
        number=number if isinstance(number, int) and not isinstance(number, bool) else 0,
    )


def _json(data: bytes, file: str) -> Json:
    try:
        if len(data) > MAX_BYTES:
            raise ValueError("too large")
        loaded = json.loads(data)
        if not isinstance(loaded, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError):
        raise InputError(
            Problem("it is not a sheet that a reader saved", "Give the file that *Save a copy* or *Submit* wrote", file)
        ) from None
    return loaded


def parse_replies(data: object, study: ReadingStudy, reader: str, complaints: Complaints) -> dict[int, Reply]:
    """Replies by position; what cannot be one is a complaint."""
    replies: dict[int, Reply] = {}
    if not isinstance(data, dict):
        complaints.add("answers", "it holds no answers", "Let the reader save it again")
        return replies
    last = len(study.orders[reader])
    asked = {item.id: item for item in study.form.questions}
    for key, value in data.items():
        at = int(key) if isinstance(key, str) and key.isdecimal() and len(key) < 7 else 0
        if not 1 <= at <= last or str(at) != key:
            complaints.add("report", f"it answers a report that the sheet does not have (there are {last})", "Let the reader save it again")
        elif (reply := parse_reply(value, asked)) is None:
            complaints.add("answer", f"an answer about report {at} is none of those that were offered", "Let the reader answer it again")
        else:
            replies[at] = reply
    return replies


def parse_reply(data: object, asked: Mapping[str, Question]) -> Reply | None:
    """One reply; None where it is none."""
    if not isinstance(data, dict) or not isinstance(data.get("values"), dict):
        return None
    values, rest, seconds = data["values"], data.get("rest", []), data.get("seconds", 0)
    if not all(name in asked and asked[name].takes(value) for name, value in values.items()):
        return None
    if not isinstance(rest, list) or not all(isinstance(name, str) and values.get(name) == 0 and asked[name].rest for name in rest):
        return None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds < 1e7:
        return None
    return Reply(dict(values), tuple(sorted(set(rest))), float(seconds))
