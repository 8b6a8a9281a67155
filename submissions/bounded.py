"""A child process that reads a stranger's file: its processor time is bounded, however busy the machine is.

Too much processor time is the file's doing. A child that did not get its processor time within a generous wait says nothing of the file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import Problem, UnavailableError

PATIENCE = 10.0
"""Seconds that are waited for each second of processor time, beside `START`."""
START = 60.0
"""Seconds that are waited for a child to begin."""
OUT_OF_MEMORY = 70
"""Exit code of the child."""
BUSY = "this machine is too busy to read the file just now"
_ROOT = Path(__file__).parents[1]
_HANDED_ON = ("PATH", "LANG", "LC_ALL", "HOME", "SYSTEMROOT", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")
_LATE = {-int(getattr(signal, name)) for name in ("SIGPROF", "SIGXCPU") if hasattr(signal, name)}


@dataclass(frozen=True, slots=True)
class ChildResult:
    """How a child ended."""

    code: int
    output: bytes = field(repr=False)

    @property
    def expensive(self) -> bool:
        """Whether it was ended because it took more processor time than it may."""
        return self.code in _LATE


def run(module: str, content: bytes, seconds: float) -> ChildResult:
    """Run a module of this project in a process of its own, with a stranger's file on its standard input.

    Args:
        module: Its `__main__` part calls `limit` before it looks at the file.
        content: What it reads.
        seconds: The processor time that it allows itself.

    Raises:
        UnavailableError: The machine did not give it that time, or could not start it.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=content,
            capture_output=True,
            timeout=START + PATIENCE * seconds,
            check=False,
            cwd=_ROOT,
            env=environment(),
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(Problem(BUSY, "Try again in some minutes; the file may be right")) from None
    except OSError as error:
        raise UnavailableError(Problem(f"the file cannot be read just now ({error.strerror})", "Try again in some minutes")) from None
    return ChildResult(done.returncode, done.stdout)


def environment() -> dict[str, str]:
    """What a child that reads a stranger's file gets to know: no token, no setting of the page."""
    return {"OPENBLAS_NUM_THREADS": "1", **{key: value for key in _HANDED_ON if (value := os.environ.get(key))}}


def limit(seconds: float, memory: int) -> None:
    """Bound this process for good: its processor time from now on, its address space, no file written, no core, no traceback.

    Args:
        seconds: The limit of processor time.
        memory: Bytes of address space.
    """
    sys.excepthook = _quiet
    if os.name == "nt":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 2
    signal.setitimer(signal.ITIMER_PROF, seconds)  # to the fraction of a second; the limit behind it is in whole ones
    resource.setrlimit(resource.RLIMIT_CPU, (soft, soft + 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _quiet(kind: type[BaseException], *_: object) -> None:
    """End without a traceback; what a file alone can bring about has an exit code of its own."""
    os._exit(OUT_OF_MEMORY if issubclass(kind, MemoryError | RecursionError) else 1)
