"""Reading a stranger's file in a process of its own, with little time and memory: whatever it does to that process, the page lives on.

The content goes in by a pipe and never lies in a temporary file. The child knows no token of the parent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.errors import Problem, UnavailableError
from harness.quiet import Quiet
from harness.types import Section
from submissions.policy import Policy

_ROOT = Path(__file__).parents[1]
_HANDED_ON = ("PATH", "LANG", "LC_ALL", "HOME", "SYSTEMROOT", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")
MAX_NAME = 100
PATIENCE = 4
"""How many times its limit of processor time a child may run: on a busy machine an honest file waits for its turn."""
OUT_OF_MEMORY = 70
"""Exit code of the child."""


@dataclass(frozen=True, slots=True, repr=False)
class Checked(Quiet):
    """What reading a file gave."""

    reports: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By study id; empty where there are problems."""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    private: tuple[Problem, ...] = ()
    """Of the privacy screen, where it was asked for."""


def plain_name(name: str) -> str:
    """A file's name as it may stand in a message: its last part, printable, not long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable() and char not in "<>&`")[:MAX_NAME] or "file"


def check(content: bytes, name: str, expected: Collection[str], section: Section, policy: Policy, *, screened: bool = False) -> Checked:
    """Read and check a reports file; the messages are those of `ranscore validate`.

    Args:
        name: As the user named the file.
        expected: The ids of the cohort's scored studies.
        screened: Whether the privacy screen looks at the reports as well.

    Raises:
        UnavailableError: The check itself does not run.
    """
    name = plain_name(name)
    if len(content) > policy.max_bytes:
        what = f"it holds {len(content):,} bytes; {policy.max_bytes:,} are allowed"
        return Checked(problems=(Problem(what, "Keep only the columns that are read", name),))
    limits = {"seconds": policy.seconds, "memory": policy.memory}
    head = json.dumps({"name": name, "expected": list(expected), "section": section.value, "screened": screened, **limits}).encode()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "submissions.sandbox"],
            input=head + b"\n" + content,
            capture_output=True,
            timeout=PATIENCE * policy.seconds,
            check=False,
            cwd=_ROOT,
            env=environment(),
        )
    except subprocess.TimeoutExpired:
        what = f"reading it takes longer than {PATIENCE * policy.seconds:g} seconds"
        return Checked(problems=(Problem(what, "Write it as JSON Lines, one object a study", name),))
    if done.returncode == 1:
        # Not the file's doing: the program itself could not start or has a fault. What it said may quote the file, so it is not shown.
        raise UnavailableError("the file could not be checked just now; try again, and tell those who run the board if it stays so")
    if done.returncode != 0:
        what = f"it cannot be read within the limits of time and memory (exit code {done.returncode})"
        return Checked(problems=(Problem(what, "Write it as JSON Lines, one object a study", name),))
    found = json.loads(done.stdout)
    problems, warnings, private = (tuple(Problem(**item) for item in found[key]) for key in ("problems", "warnings", "private"))
    return Checked(found["reports"] if not problems else {}, problems, warnings, private)


def environment() -> dict[str, str]:
    """What a child that reads a stranger's file gets to know: no token, no setting of the page."""
    return {"OPENBLAS_NUM_THREADS": "1", **{key: value for key in _HANDED_ON if (value := os.environ.get(key))}}


def main() -> None:
    """The child: read standard input, answer on standard output."""
    from harness.formats import reports, tabular
    from harness.formats.complaints import Complaints
    from submissions import privacy_screen

    asked = json.loads(sys.stdin.buffer.readline())
    limit(asked["seconds"], asked["memory"])
    complaints = Complaints(asked["name"])
    table = tabular.parse(sys.stdin.buffer.read(), complaints)
    tabular.check_name(asked["name"], table, complaints)
    found = reports.check(table, complaints, asked["expected"], Section(asked["section"]))
    kept = {} if complaints.problems else found
    answer: dict[str, object] = {"reports": kept}
    answer |= {name: [asdict(item) for item in getattr(complaints, name)] for name in ("problems", "warnings")}
    answer["private"] = [asdict(item) for item in privacy_screen.warnings(kept, asked["name"])] if asked["screened"] else []
    # ASCII: half of a surrogate pair, which JSON can smuggle in, survives the pipe and is refused above like any control character.
    print(json.dumps(answer))


def _quiet(kind: type[BaseException], *_: object) -> None:
    """End without a traceback; what a file alone can bring about has an exit code of its own."""
    os._exit(OUT_OF_MEMORY if issubclass(kind, MemoryError | RecursionError) else 1)


def limit(seconds: float, memory: int) -> None:
    """Bound this process for good: its time, its address space, no file written, no core, no traceback.

    Args:
        seconds: Of processor time.
        memory: Bytes of address space.
    """
    sys.excepthook = _quiet
    if os.name == "nt":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


if __name__ == "__main__":
    main()
