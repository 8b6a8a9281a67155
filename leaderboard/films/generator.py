"""The generator of the page in a process of its own, one film at a time: one that hangs or dies is ended, and the page goes on.

A film is given to it in memory that has an address like a file (Linux), or in a private folder that goes with the answer. The process ends
with the page's, however that ends: its standard input closes.
"""

from __future__ import annotations

import faulthandler
import json
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import IO
from weakref import finalize

from generators import catalogue
from generators.catalogue import Options, System
from generators.running.batching import fit
from harness.errors import InputError, Problem, RanscoreError, RefusedError, UnavailableError, UsageError
from harness.optional import caution
from harness.types import Generated, Generator, Json, StudyInput

GRACE = 5.0
"""Seconds after its time in which the process ends by itself before it is ended from outside."""
_ROOT = Path(__file__).parents[2]
_KINDS: dict[str, type[RanscoreError]] = {kind.__name__: kind for kind in (InputError, UnavailableError, UsageError, RefusedError)}
_LENGTH = struct.Struct(">Q")


class Apart:
    """A generator in another process, started when the first film comes.

    Args:
        system: Its entry in the catalogue.
        options: How it is run.
        seconds: After which a film that is not answered ends the process; loading the generator for the first film counts.
    """

    def __init__(self, system: System, options: Options, seconds: float) -> None:
        self.system, self.seconds = system, seconds
        self._head = pickle.dumps((system, options, seconds))
        self._child: subprocess.Popen[bytes] | None = None

    def write(self, film: bytes) -> tuple[Generated, str]:
        """The report for one film, and what the generator has to say beside every report. Not for two threads at once.

        Args:
            film: A PNG.

        Raises:
            RanscoreError: As the generator raised it.
            UnavailableError: The generator failed in another way, died, or did not answer in time.
        """
        child = self._running()
        timer = threading.Timer(self.seconds + GRACE, child.kill)
        timer.daemon = True
        timer.start()
        try:
            _send(child.stdin, film)
            answer = json.loads(_receive(child.stdout))
        except (OSError, EOFError):
            self._child = None
            raise UnavailableError(self._gone(child, not timer.is_alive())) from None
        finally:
            timer.cancel()
        return self._answered(answer)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
            self._child = subprocess.Popen(
                [sys.executable, "-m", "leaderboard.films.generator"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C is for the page, which then closes the input of this one
            )
            finalize(self, _end, self._child)
            _send(self._child.stdin, self._head)
        return self._child

    def _gone(self, child: subprocess.Popen[bytes], late: bool) -> Problem:
        """Why there is no answer."""
        code = _end(child)
        if late or code == LATE:
            what = f"{self.system.name} did not answer within {self.seconds:g} seconds and was ended"
            return Problem(what, "Try again; if it stays so, tell those who run the page")
        return Problem(f"{self.system.name} ended on this film (exit code {code})", "Try another, or tell those who run the page")

    def _answered(self, answer: Json) -> tuple[Generated, str]:
        if "report" in answer:
            return Generated("film", answer["report"], answer["failure"], tuple(answer["substituted"])), answer["caution"]
        if answer["kind"] in _KINDS:
            raise _KINDS[answer["kind"]]([Problem(**problem) for problem in answer["problems"]])
        what = f"{self.system.name} failed on this film ({answer['kind']})"
        raise UnavailableError(Problem(what, "Try another, or tell those who run the page"))


def _end(child: subprocess.Popen[bytes]) -> int:
    """End a child, whatever it does; its exit code."""
    for stream in (child.stdin, child.stdout):
        if stream:
            with suppress(OSError):  # a pipe that nobody reads any more
                stream.close()
    try:
        return child.wait(1)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _send(stream: IO[bytes] | None, content: bytes) -> None:
    assert stream is not None
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def _receive(stream: IO[bytes] | None) -> bytes:
    """The next message.

    Raises:
        EOFError: The other side went away.
    """
    assert stream is not None
    head = stream.read(_LENGTH.size)
    content = stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    if len(head) < _LENGTH.size or len(content) < _LENGTH.unpack(head)[0]:
        raise EOFError
    return content


# ---- the other process

LATE = 1
"""Its exit code when its time is over, which `faulthandler` gives."""


def main() -> None:
    """Answer film after film, until the page goes away."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a generator prints goes where its errors go: nowhere
    system, options, seconds = pickle.loads(_receive(sys.stdin.buffer))  # noqa: S301 - from the page itself
    films: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(films,), daemon=True).start()
    made: list[Generator] = []
    while True:
        film = films.get()
        # Its own thread, which needs no lock of Python's: a generator that never comes back is ended too.
        faulthandler.dump_traceback_later(seconds, exit=True, file=sys.stderr)
        answer = _answer(system, options, made, film)
        faulthandler.cancel_dump_traceback_later()
        _send(answers, json.dumps(answer).encode())


def _listen(films: SimpleQueue[bytes]) -> None:
    """Hand films on; when the page went away, end at once, in the middle of a film too."""
    try:
        while True:
            films.put(_receive(sys.stdin.buffer))
    except BaseException:
        for folder in _FOLDERS:
            folder.cleanup()
        os._exit(0)


_FOLDERS: list[TemporaryDirectory[str]] = []
"""Those that hold a film now."""


def _answer(system: System, options: Options, made: list[Generator], film: bytes) -> Json:
    try:
        if not made:
            made.append(catalogue.make(system, replace(options, device=catalogue.device(options.device))))
        with _placed(film) as path:
            (written,) = map(fit, made[0].generate([StudyInput("film", frontal=path)]))
    except RanscoreError as error:
        return {"kind": type(error).__name__, "problems": [asdict(problem) for problem in error.problems]}
    # Models fail in their own ways; what they say may quote the film's place or content, so only the kind is kept.
    except Exception as error:
        return {"kind": type(error).__name__}
    told = {"substituted": list(written.substituted), "caution": caution(made[0])}
    return {"report": written.report, "failure": written.failure, **told}


@contextmanager
def _placed(film: bytes) -> Iterator[Path]:
    """A film as generators take it, by a path: of memory where the system has such, else of a file in a private folder."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        with os.fdopen(os.memfd_create("film"), "wb") as stream:
            stream.write(film)
            stream.flush()
            yield Path(f"/proc/{os.getpid()}/fd/{stream.fileno()}")
        return
    _FOLDERS.append(folder := TemporaryDirectory(prefix="ranscore-film-"))
    try:
        path = Path(folder.name) / "film.png"
        path.write_bytes(film)
        yield path
    finally:
        _FOLDERS.remove(folder)
        folder.cleanup()


if __name__ == "__main__":
    main()
