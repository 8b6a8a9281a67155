"""Long work without a terminal says how long it will take, and every minute how far it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from harness.errors import UsageError
from harness.storage import progress as shown
from ranscore.commands import parser


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that have passed, as the test sets them."""
    now = [0.0]
    monkeypatch.setattr("harness.storage.progress.time.monotonic", lambda: now[0])
    return now


def worked(clock: list[float], items: Iterator[int] | range, seconds: float) -> None:
    for _ in shown.progress(items, "Writing reports"):
        clock[0] += seconds


def test_an_estimate_after_ten_seconds_then_a_line_a_minute(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    worked(clock, range(3000), 6.0)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Writing reports: 2 of 3,000, about 5.0 h left"
    assert lines[1] == "Writing reports: 12 of 3,000, about 5.0 h left"
    assert len(lines) == 300 and re.fullmatch(r"Writing reports: 2,9\d\d of 3,000, about \d+ s left", lines[-1])


def test_short_work_is_silent_and_work_without_a_length_says_how_long_it_took(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    worked(clock, range(50), 0.1)
    assert capsys.readouterr().err == ""
    worked(clock, iter(range(30)), 5.0)
    assert capsys.readouterr().err.splitlines() == [
        "Writing reports: 2 in 10 s",
        "Writing reports: 14 in 70 s",
        "Writing reports: 26 in 2 min",
    ]


@pytest.mark.parametrize("port", ["80000", "-1", "http", "8,000"])
def test_a_port_that_is_none_is_a_message(port: str) -> None:
    with pytest.raises(UsageError, match=f"a port is a number from 0 to 65535, not '{port}'"):
        parser().parse_args(["serve", f"--port={port}"])
    assert parser().parse_args(["serve", "--port", "0"]).port == 0
