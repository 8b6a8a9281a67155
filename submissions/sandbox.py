"""Reading a stranger's file in a process of its own, with little time and memory: whatever it does to that process, the page lives on.

The content goes through a pipe and is never written to a temporary file. The child knows no token of the parent.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field

from harness.errors import Problem, UnavailableError
from harness.quiet import Quiet
from harness.types import Json, Section
from submissions import bounded
from submissions.policy import Policy

MAX_NAME = 100


@dataclass(frozen=True, slots=True, repr=False)
class Checked(Quiet):
    """What reading a file gave."""

    reports: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By study id; empty where there are problems."""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    private: tuple[Problem, ...] = ()
    """From the privacy screen, where it was asked for."""


def plain_name(name: str) -> str:
    """A file's name as it may be in a message: its last part, printable, not long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable() and char not in "<>&`")[:MAX_NAME] or "file"


def check(
    content: bytes, name: str, expected: Collection[str] | None, section: Section, policy: Policy, *, screened: bool = False
) -> Checked:
    """Read and check a reports file; the messages are those of `ranscore validate`.

    Args:
        name: As the user named the file.
        expected: The ids of the cohort's scored studies; None where any id will do.
        screened: Whether the privacy screen looks at the reports as well.

    Raises:
        UnavailableError: The check itself does not run, or the machine is too busy for it.
    """
    name = plain_name(name)
    if len(content) > policy.max_bytes:
        what = f"it holds {len(content):,} bytes; {policy.max_bytes:,} are allowed"
        return Checked(problems=(Problem(what, "Keep only the columns that are read", name, code="too-large"),))
    limits = {"seconds": policy.seconds, "memory": policy.memory}
    listed = None if expected is None else list(expected)
    head = json.dumps({"name": name, "expected": listed, "section": section.value, "screened": screened, **limits}).encode()
    done = bounded.run("submissions.sandbox", head + b"\n" + content, policy.seconds)
    if done.code == 1:
        # Not the file's doing: the program itself could not start or has a fault. What it said may quote the file, so it is not shown.
        raise UnavailableError("the file could not be checked just now; try again, and tell those who run the board if it stays so")
    if done.expensive:
        what = f"reading it takes more than {policy.seconds:g} seconds of processor time"
        return Checked(problems=(Problem(what, "Write it as JSON Lines, one object a study", name, code="too-slow"),))
    if done.code != 0:
        what = f"it cannot be read within the limit of memory (exit code {done.code})"
        return Checked(problems=(Problem(what, "Write it as JSON Lines, one object a study", name, code="too-much-memory"),))
    found = json.loads(done.output)
    problems, warnings, private = (tuple(Problem(**item) for item in found[key]) for key in ("problems", "warnings", "private"))
    return Checked(found["reports"] if not problems else {}, problems, warnings, private)


def main() -> None:
    """The child: read standard input, answer on standard output."""
    asked = json.loads(sys.stdin.buffer.readline())
    bounded.limit(asked["seconds"], asked["memory"])
    # ASCII: half of a surrogate pair, which JSON can smuggle in, survives the pipe and is refused above like any control character.
    print(json.dumps(answer(asked, sys.stdin.buffer.read())))


def answer(asked: Json, content: bytes) -> Json:
    """What the child answers about a file.

    Args:
        asked: The name, the expected ids, the section, and whether the reports are screened.
        content: The file, read by the readers of `ranscore validate`.
    """
    from harness.formats import reports, tabular
    from harness.formats.complaints import Complaints
    from submissions import privacy_screen

    complaints = Complaints(asked["name"])
    table = tabular.parse(content, complaints)
    tabular.check_name(asked["name"], table, complaints)
    found = reports.check(table, complaints, asked["expected"], Section(asked["section"]))
    kept = {} if complaints.problems else found
    made: Json = {"reports": kept}
    made |= {name: [asdict(item) for item in getattr(complaints, name)] for name in ("problems", "warnings")}
    made["private"] = [asdict(item) for item in privacy_screen.warnings(kept, asked["name"])] if asked["screened"] else []
    return made


if __name__ == "__main__":
    main()
