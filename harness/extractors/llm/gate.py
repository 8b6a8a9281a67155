"""How many questions one server is asked at once: more while it answers, half when it is busy, none for a while when it is down."""

from __future__ import annotations

from dataclasses import dataclass

from harness.extractors.llm.endpoint import Endpoint

START = 8
"""Questions in flight at first."""
FAILURES = 3
"""Failures in a row after which a server is left alone for a while."""
LONGEST_PAUSE = 30.0
"""Seconds between two attempts at a server that is down or busy."""


@dataclass(slots=True, eq=False)
class Gate:
    """What is known about one server. All times are seconds of the event loop's clock, passed in."""

    endpoint: Endpoint
    window: float = 0.0
    """How many questions may be in flight."""
    running: int = 0
    open_at: float = 0.0
    """Nothing is asked before this."""
    asked_until: float = 0.0
    """Until when it asked to be left alone (`Retry-After`)."""
    trouble: str = ""
    """What was wrong when it last gave no answer, in words that may be shown."""
    failures: int = 0
    """In a row."""
    trouble_at: float = -1.0
    """When the last trouble was noticed."""
    growing: bool = True
    """Whether the window still doubles, as nothing was ever too much."""
    answered: int = 0
    rejected: int = 0
    closed: str = ""
    """Why it will never be asked again in this run; empty where it may."""

    def __post_init__(self) -> None:
        self.window = float(min(START, self.endpoint.limit))

    def free(self, now: float) -> bool:
        """Whether a question may be asked now."""
        return not self.closed and now >= self.open_at and self.running < max(1, int(self.window))

    def answer(self) -> None:
        """It answered."""
        self.answered += 1
        self.failures = 0
        step = 1.0 if self.growing else 1.0 / self.window
        if self.running >= int(self.window) - 1:
            self.window = min(float(self.endpoint.limit), self.window + step)

    def busy(self, now: float, started: float, wait: float | None) -> None:
        """It said that it is asked too much, or took too long.

        Args:
            now: The time.
            started: When the question was asked: many questions that meet the same trouble at once count once.
            wait: Seconds the server asked to wait; None where it did not say.
        """
        if started >= self.trouble_at:
            self.failures += 1
            self.window, self.growing, self.trouble_at = max(1.0, self.window / 2), False, now
            self.open_at = max(self.open_at, now + self._pause(0.1))
        if wait is not None:
            self.asked_until = max(self.asked_until, now + wait)
            self.open_at = max(self.open_at, self.asked_until)

    def fail(self, now: float, started: float, unreachable: bool = False) -> None:
        """It broke off or answered with an error of its own, or nobody was there at all."""
        if started < self.trouble_at:
            return
        self.trouble_at = now
        self.failures = max(self.failures + 1, FAILURES if unreachable else 0)
        if self.failures >= FAILURES:
            self.window, self.growing = 1.0, True
            self.open_at = max(self.open_at, now + self._pause(0.25 / 2**FAILURES))

    def _pause(self, first: float) -> float:
        """Doubles with every failure in a row."""
        return float(min(LONGEST_PAUSE, first * 2 ** min(self.failures, 12)))
