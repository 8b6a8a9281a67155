"""Terminals of every kind: no encoding, no closed stream and no Ctrl-C makes a traceback."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.records.store import Store
from ranscore.commands import terminal
from tests.boards import demo_store

__all__ = ["demo_store"]
NAME = "Überblick–模型 😀 “x” → y"
ENCODINGS: dict[str, Mapping[str, str]] = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "cp437": {"PYTHONIOENCODING": "cp437"},
    "shift-jis": {"PYTHONIOENCODING": "shift_jis"},
    "utf-16": {"PYTHONIOENCODING": "utf-16"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "POSIX, strict": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"},
}


@pytest.fixture(scope="module")
def store(demo_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board of one system whose name no old encoding can write."""
    made = Store(tmp_path_factory.mktemp("names") / "store")
    first = demo_store.all()[0].record
    patients = demo_store.patients(first.cohort)
    made.add(replace(first, system=replace(first.system, name=NAME, organisation=NAME)), demo_store.rows(first), None, patients)
    return made.root


def run(words: list[str], settings: Mapping[str, str], redirect: str = "") -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, by a shell, which alone can close a stream."""
    command = f'"$0" -m ranscore "$@" {redirect}'
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **settings}
    return subprocess.run(["/bin/sh", "-c", command, sys.executable, *words], env=env, capture_output=True, check=False, timeout=300)


@pytest.mark.parametrize("kind", ENCODINGS)
def test_an_encoding_without_a_letter_writes_it_in_ascii(store: Path, kind: str) -> None:
    done = run(["board", "--store", str(store)], ENCODINGS[kind])
    encoding = {"C": "ascii", "POSIX, strict": "ascii", "shift-jis": "shift_jis"}.get(kind, kind)
    assert done.returncode == 0 and done.stderr == b""
    shown = done.stdout.decode(encoding)
    assert ("berblick" in shown) and ("😀" in shown or "\\ud83d\\ude00" in shown)


@pytest.mark.parametrize("kind", ["ascii", "latin-1", "C"])
def test_json_reads_back_what_it_escapes(store: Path, kind: str) -> None:
    done = run(["board", "--json", "--store", str(store)], ENCODINGS[kind])
    assert done.returncode == 0 and done.stderr == b""
    found = json.loads(done.stdout.decode("latin-1" if kind == "latin-1" else "ascii"))
    (name,) = {row["name"] for board in found["boards"] for row in board["rows"]}
    assert name in (NAME, NAME.translate(terminal.PLAIN))


@pytest.mark.parametrize("kind", ["ascii", "C"])
@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["generate", "--help"],
        ["metrics"],
        ["systems", "list"],
        ["score", "Übung-模型.csv", "--cohort", "Ü"],
        ["board", "--store", "Übung-模型"],
        ["validate", "Übung.csv", "--ids", "Ü.csv"],
        ["nöthing"],
    ],
    ids=" ".join,
)
def test_no_command_ends_in_a_traceback(words: list[str], kind: str) -> None:
    done = run(words, ENCODINGS[kind])
    assert b"Traceback" not in done.stderr and done.returncode in (0, 2, 3)
    done.stdout.decode("ascii"), done.stderr.decode("ascii")


@pytest.mark.parametrize("redirect", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_takes_everything(store: Path, redirect: str) -> None:
    done = run(["board", "--store", str(store)], {}, redirect)
    assert done.returncode == 0 and b"Traceback" not in done.stderr + done.stdout
    assert (b"berblick" in done.stdout) == (">&-" not in redirect.split())
    wrong = run(["board", "--nothing"], {}, redirect)
    assert wrong.returncode == 2 and (b"--nothing" in wrong.stderr) == ("2>&-" not in redirect.split()) and wrong.stdout == b""


def test_what_is_printed_goes_into_no_file_that_was_opened(store: Path, tmp_path: Path) -> None:
    """Without care a file of the program gets the number of a closed stream."""
    copy = tmp_path / "store"
    done = run(["board", "--store", str(copy)], {}, ">&- 2>&- <&-")
    assert done.returncode == 0 and not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("reader", ["| true", "| head -c 1"])
def test_a_reader_that_goes_away_is_no_error(store: Path, reader: str) -> None:
    done = run(["board", "--store", str(store)], {}, reader)
    assert done.returncode == 0 and done.stderr == b""


# Sends what Ctrl-C sends, in the moment in which a module is looked for.
HOOK = """
import os, signal, sys

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ.get("INTERRUPTED_AT"):
            del os.environ["INTERRUPTED_AT"]  # once
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
"""
LOADING = ["ranscore.commands", "argparse", "importlib.metadata", "harness.errors", "ranscore.commands.parsing", "ranscore.commands.worker"]
RUNNING = ["harness.records", "harness.records.store", "leaderboard.content", "numpy", "rich.table"]


@pytest.mark.parametrize("module", [*LOADING, *RUNNING])
def test_ctrl_c_while_modules_load_prints_one_line(store: Path, module: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    paths = f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}"
    env = {**os.environ, "PYTHONPATH": paths, "INTERRUPTED_AT": module}
    command = [sys.executable, "-m", "ranscore", "board", "--store", str(store)]
    done = subprocess.run(command, env=env, capture_output=True, check=False, timeout=300)
    # Python itself ends by the signal where compiled code has seen it; a shell sees 130 in both cases.
    assert done.returncode in (130, -signal.SIGINT) and done.stdout == b""
    assert done.stderr == b"ranscore: interrupted; nothing half written was left behind\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [("–", "-"), ("é", "\\u00e9"), ("😀", "\\ud83d\\ude00"), ("\udc80", "\\udc80"), ("a→b", "a->b"), ("\U0010ffff", "\\udbff\\udfff")],
)
def test_what_cannot_be_written_is_near_or_as_json_escapes_it(text: str, written: str) -> None:
    terminal.prepare()
    stream = io.TextIOWrapper(io.BytesIO(), "ascii", errors="ranscore")
    stream.write(text)
    stream.flush()
    assert stream.buffer.getvalue().decode() == written
    if "\\u" in written:
        assert json.loads(f'"{written}"') == text
