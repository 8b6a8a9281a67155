"""The running METEOR program: it takes 10 seconds and more to start, so that one start serves every recipe and every system."""

from __future__ import annotations

import atexit
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Lock, Thread, Timer
from typing import IO

from harness.errors import Problem, UnavailableError

IDLE = 60.0
"""Seconds after the last question until the program is ended: it holds up to 2 GB."""

_lock = Lock()
_running: dict[tuple[str, Path], subprocess.Popen[bytes]] = {}
_end: list[Timer] = []


def ask_jar(java: str, jar: Path, lines: Sequence[str]) -> list[str]:
    """Send lines to the jar and return its lines; the program stays for the next lines of this process.

    Raises:
        UnavailableError: It ended badly or answered too little.
    """
    with _lock:
        _cancel()
        kept = _running.get((java, jar))
        process = _started(java, jar)
        answers = _asked(process, lines)
        if not answers and lines and process is kept:
            # It was ending when it was asked.
            _close(process)
            process = _started(java, jar)
            answers = _asked(process, lines)
        if len(answers) < len(lines):
            _close(process)
            what = f"the METEOR program ended with code {process.returncode} after {len(answers)} of {len(lines)} studies"
            raise UnavailableError(Problem(what, "Check that `java -version` works and that 2 GB of memory are free"))
        _end.append(Timer(IDLE, close))
        _end[0].daemon = True
        _end[0].start()
    return answers


def close() -> None:
    """End the program, if it runs."""
    with _lock:
        _cancel()
        for process in list(_running.values()):
            _close(process)


def _started(java: str, jar: Path) -> subprocess.Popen[bytes]:
    known = _running.get((java, jar))
    if known is not None and known.poll() is None:
        return known
    for process in list(_running.values()):
        _close(process)
    command = [java, "-Dfile.encoding=UTF-8", "-Xmx2G", "-jar", str(jar), "-", "-", "-stdio", "-l", "en", "-norm"]
    pipe = subprocess.PIPE
    _running[(java, jar)] = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=jar.parent)
    return _running[(java, jar)]


def _asked(process: subprocess.Popen[bytes], lines: Sequence[str]) -> list[str]:
    """What it answers; fewer answers than lines where it ended. Written from a thread: neither side may wait for the other's pipe."""
    assert process.stdin is not None and process.stdout is not None
    writer = Thread(target=_send, args=(process.stdin, lines), daemon=True)
    writer.start()
    answers = []
    for _ in lines:
        answer = process.stdout.readline()
        if not answer:
            break
        answers.append(answer.decode().rstrip("\r\n"))
    else:
        writer.join()
    return answers


def _send(stream: IO[bytes], lines: Sequence[str]) -> None:
    try:
        for line in lines:
            stream.write(line.encode() + b"\n")
        stream.flush()
    except OSError:
        pass  # it ended: the reader finds out and says so


def _close(process: subprocess.Popen[bytes]) -> None:
    """End one program, by itself where it can; the caller holds the lock."""
    for key in [key for key, known in _running.items() if known is process]:
        del _running[key]
    for stream in (process.stdin, process.stdout):
        try:
            if stream is not None:
                stream.close()
        except OSError:
            pass  # what was still to be written to a program that ended
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cancel() -> None:
    while _end:
        _end.pop().cancel()


atexit.register(close)
