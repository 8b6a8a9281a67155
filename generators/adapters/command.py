"""Any program as a system, for code that needs its own environment: a JSON line in for a study, a JSON line back with its report.

The program is started once. It reads `{"study_id": ..., "frontal": "/path/to/film", ...}` with the inputs that `needs` names and
answers each line, in order, with `{"study_id": ..., "report": ...}` or `{"study_id": ..., "failure": ...}`, flushed.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from generators.catalogue import Options, System
from harness.errors import Problem, UnavailableError, UsageError
from harness.formats.report_text import MAX_CHARACTERS
from harness.quiet import Quiet
from harness.signature import digest
from harness.types import Generated, Section, StudyInput

EARLIER = ("prior_frontal", "prior_lateral", "prior_view", "prior_report", "prior_findings", "prior_impression")
INPUTS = ("frontal", "lateral", "view", "indication", "history", "comparison", "technique", *EARLIER)
LARGEST = 4 * MAX_CHARACTERS + 10_000
"""Bytes of an answer; more is not a report."""


class _DeadError(Exception):
    """The program ended, or answered too late."""


@dataclass(slots=True, repr=False)
class Program(Quiet):
    """A running program, started at the first question and again after it ended."""

    words: tuple[str, ...]
    timeout: float
    """Seconds for one study; starting up counts to the first."""
    errors: Path | None
    """Where its standard error goes; nowhere without one, because it may repeat reports."""
    process: subprocess.Popen[bytes] | None = None
    buffer: bytearray = field(default_factory=bytearray, repr=False)
    answered: bool = False

    def ask(self, question: dict[str, Any]) -> Any:
        """One line there, one line back.

        Raises:
            _DeadError: It ended, or took too long; it is started again for the next question.
            UnavailableError: It cannot be started, or ended without having answered a single question.
        """
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(question, ensure_ascii=False).encode() + b"\n")
            process.stdin.flush()
            found = json.loads(self._line(process.stdout))
        except (OSError, ValueError, RecursionError, _DeadError):
            self.close()
            if not self.answered:
                what = f"{self.words[0]} ended, was silent for {self.timeout:.0f} s or wrote no JSON before its first answer"
                raise UnavailableError(Problem(what, "Try it alone; --set errors=FILE keeps what it says on standard error")) from None
            raise _DeadError from None
        self.answered = True
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            self.close()
            try:
                with (self.errors or Path(os.devnull)).open("ab") as stream:
                    self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stream)
            except OSError as error:
                raise UnavailableError(f"{self.words[0]} cannot be started ({type(error).__name__})") from error
        return self.process

    def _line(self, stream: IO[bytes]) -> bytes:
        end = time.monotonic() + self.timeout
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or len(self.buffer) > LARGEST or not select.select([stream], [], [], left)[0]:
                raise _DeadError
            if not (chunk := os.read(stream.fileno(), 1 << 16)):
                raise _DeadError
            self.buffer += chunk
        line, _, rest = bytes(self.buffer).partition(b"\n")
        self.buffer = bytearray(rest)
        return line

    def close(self) -> None:
        """End the program."""
        if self.process is not None:
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            self.process.kill()
            self.process.wait()
        self.process, self.buffer = None, bytearray()

    def __del__(self) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Command:
    """The system."""

    program: Program = field(repr=False)
    needs: frozenset[str]
    writes: Section
    digest: str
    name: str = "command"
    exact_batches: bool = False

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Ask the program for each study."""
        return [self._one(study) for study in studies]

    def _one(self, study: StudyInput) -> Generated:
        given = {name: getattr(study, name) for name in INPUTS if name in self.needs}
        question = {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
        try:
            found = self.program.ask({"study_id": study.id, **question})
        except _DeadError:
            return Generated(study.id, failure="the program ended, was silent too long, or wrote no JSON")
        if not isinstance(found, dict) or found.get("study_id") != study.id:
            self.program.close()
            return Generated(study.id, failure="the program answered another study")
        if isinstance(report := found.get("report"), str) and len(report) <= MAX_CHARACTERS:
            return Generated(study.id, report)
        # What the program says of its failure may quote a report.
        return Generated(study.id, failure="the program reported a failure" if "failure" in found else "the program wrote no report")


def make(options: Options) -> Command:
    """Prepare the program; it is started with the first study.

    Raises:
        UsageError: No command is given, or a setting has no such value.
    """
    settings = options.settings
    try:
        words = tuple(shlex.split(settings.get("run", "")))
    except ValueError as error:
        raise UsageError(f"--set run: {error}") from None
    needs = frozenset(filter(None, settings.get("needs", "frontal").split(",")))
    writes, timeout = settings.get("writes", "findings"), settings.get("timeout", "600")
    if not words:
        raise UsageError("command needs --set run='PROGRAM ARGUMENTS'")
    if needs - set(INPUTS):
        raise UsageError(f"needs is some of {','.join(INPUTS)}, not {','.join(sorted(needs - set(INPUTS)))!r}")
    if writes not in set(Section) or not timeout.isdigit() or timeout == "0":
        raise UsageError(f"writes is {', '.join(Section)}, and timeout a number of seconds")
    identity = digest(["command", 1, _hashed(words), settings.get("version", ""), sorted(needs), writes])
    errors = Path(settings["errors"]) if "errors" in settings else None
    return Command(Program(words, float(timeout), errors), needs, Section(writes), identity)


def _hashed(words: Sequence[str]) -> list[str]:
    """The command with the content of the scripts that it names, so that a changed script is another system."""
    return [sha256(Path(word).read_bytes()).hexdigest() if Path(word).is_file() and number else word for number, word in enumerate(words)]


SYSTEM = System(
    name="command",
    make="generators.adapters.command:make",
    summary="any program that reads and writes JSON lines",
    writes=Section.FINDINGS,
    settings={
        "run": "the program with its arguments, as in a shell without its signs",
        "needs": f"what it is given, some of {','.join(INPUTS)} (default: frontal)",
        "writes": "findings (default), impression or both",
        "timeout": "seconds for one study (default: 600)",
        "errors": "a file for what it says on standard error (default: thrown away, it may repeat reports)",
        "version": "raise it when the program changed in a way that its command does not show",
    },
)
