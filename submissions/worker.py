"""The worker: takes what waits, extracts and scores it once, whatever is killed when.

Claims are events with a lease. What counts is who writes the event `scored`: only the one who holds the newest claim can, and the record
is in that event. The store follows from the ledger, so a death after it costs nothing and a death before it only time.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex
from typing import TypeVar

from harness.errors import InputError, Problem, RanscoreError, StoreError, UnavailableError
from harness.records import ranks, snapshot
from harness.records import record as records
from harness.scoring import scorer
from harness.scoring.evaluation import Evaluation
from harness.storage import files
from harness.storage.report_lines import read_canonical
from harness.storage.stored import Source, content, parse, shaped
from harness.types import Cohort, Grade, Json, ReportSet
from submissions import beats, gaming_flags, sandbox
from submissions.beats import Beat
from submissions.board_folder import BoardFolder
from submissions.counted import Counted
from submissions.events import OVER, Event, LedgerState, State, Submission
from submissions.ledger import Draft
from submissions.projection import projected
from submissions.trouble import Pause, is_of_machine, words

Found = TypeVar("Found")
LONGEST_WAIT = 3
"""Doublings of the policy's `retry` before a submission that fails is begun again."""
FORGOTTEN = 7 * 86_400.0
"""Seconds after which nobody wants to know of a worker that ended."""


class Lost(Exception):  # noqa: N818 - a way out; nobody sees it
    """The claim went to another worker, or the submission was withdrawn meanwhile."""


class RejectedError(InputError):
    """The submission itself is at fault; nobody needs to try again."""


@dataclass(slots=True)
class Worker:
    """One worker of one board."""

    board_folder: BoardFolder
    who: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}")
    listed: Callable[[], object] = lambda: None
    """Called after the board changed (to push it to the Hub)."""
    takes: Callable[[Submission], bool] = lambda _: True
    """Which submissions this worker works on; the page's own takes those of open cohorts whose text is beside it."""
    _stale: bool = True
    """Whether the board changed since ranks were made; not known at the start."""
    _rank_at: float = 0.0
    _ordered: object = None
    """What was there when the store was last put in order."""
    _order_at: float = 0.0
    _once: bool = False
    _pauses: dict[str, Pause] = field(default_factory=dict)
    _troubles: dict[str, str] = field(default_factory=dict)
    _later: dict[str, float] = field(default_factory=dict)
    """By submission, the moment before which this worker does not claim it again."""
    _cohorts: dict[str, Cohort] = field(default_factory=dict)
    _extractors: dict[str, Counted] = field(default_factory=dict)

    def run(self, *, once: bool = False, poll: float = 2.0, stop: threading.Event | None = None) -> int:
        """Work off what waits; then, unless `once`, wait for more until stopped.

        Nothing that fails ends it unless `once`: it says what failed, waits, longer each time, and goes on with the rest.

        Returns:
            How many submissions were finished.

        Raises:
            RanscoreError: Something fails, and it runs `once`.
        """
        stop = stop or threading.Event()
        finished = 0
        self._once = once
        beats.forget(self.board_folder, time.time() - FORGOTTEN)
        try:
            while not stop.is_set():
                self.beat(poll)
                done = self._attempt("scoring", self.step)
                if done is not None:
                    finished += done.state in OVER
                    self._attempt("ranks", lambda: self._rank(patient=True))
                    continue
                self._attempt("order", self._keep_order)
                if once:
                    break
                stop.wait(poll)
        finally:
            beats.write(self.board_folder, Beat(who=self.who, at=self.board_folder.ledger.clock(), over=True))
        return finished

    def _attempt(self, what: str, work: Callable[[], Found]) -> Found | None:
        """Do something, or note and print why it failed; what failed is not done again before a pause that grows."""
        pause = self._pauses.setdefault(what, Pause())
        if time.monotonic() < pause.until:
            return None
        try:
            found = work()
        except Exception as error:
            if self._once:
                raise error if isinstance(error, RanscoreError | OSError) else StoreError(f"{what} failed ({words(error)})") from None
            pause.failed()
            self._troubles[what] = words(error)
            print(f"ranscore worker: {what} failed: {words(error)}; again in {pause.length:.0f} seconds", file=sys.stderr, flush=True)
            return None
        pause.worked()
        self._troubles.pop(what, None)
        return found

    def _keep_order(self) -> None:
        """Put the store in order at once where something landed or a day ended; else with at most a hundredth of the time: it reads every record."""
        events = self.board_folder.store.root / "events"
        landed = events.stat().st_mtime_ns if events.is_dir() else 0
        there = (tuple(self.board_folder.ledger.ledger_files.names()), landed, int(self.board_folder.ledger.clock() // 86_400))
        if there == self._ordered and time.monotonic() < self._order_at:
            return
        started = time.monotonic()
        self.tidy()
        self._ordered, self._order_at = there, time.monotonic() + 100 * (time.monotonic() - started)

    def tidy(self) -> None:
        """Put the store in order after a crash, a withdrawal or a date that passed; ranks follow."""
        changed, failed = projected(self.board_folder)
        self._stale |= changed
        self._rank()
        for name, error in failed.items():
            raise StoreError(f"the submission {name} cannot be put on the board ({words(error)})") from None

    def beat(self, pause: float = 0.0) -> None:
        """Say that this worker lives, and what troubles it; not part of the ledger.

        Args:
            pause: Seconds until the next look, where it is longer than a claim is renewed.
        """
        trouble = "; ".join(f"{what}: {why}" for what, why in self._troubles.items())
        longest = min(max(pause, self.board_folder.policy.lease / 3), beats.LONGEST / 2)
        beats.write(self.board_folder, Beat(who=self.who, at=self.board_folder.ledger.clock(), pause=longest, trouble=trouble))

    def step(self) -> Submission | None:
        """Claim the oldest submission that waits and bring it as far as it goes.

        Returns:
            The submission as it is then; None where nothing waits, or everything that does is another worker's.
        """
        claim = self._claim()
        if claim is None:
            return None
        try:
            with self._renewed(claim):
                self._process(claim.stream)
        except Lost:
            pass
        except Exception as error:
            # Not even the failure could be written down: others go first for a while.
            self._later[claim.stream] = time.monotonic() + self.board_folder.policy.retry
            raise StoreError(f"the submission {claim.stream} cannot be worked on ({words(error)})") from None
        return self.board_folder.ledger.state().submissions[claim.stream]

    def _claim(self) -> Event | None:
        def decide(now: LedgerState) -> Sequence[Draft]:
            item = next((item for item in now.waiting if self.takes(item) and self._free(item)), None)
            return [] if item is None else [Draft(item.id, "claimed", {"by": self.who, "until": self._until()})]

        return next(iter(self.board_folder.ledger.write(decide)), None)

    def _until(self) -> float:
        return self.board_folder.ledger.clock() + self.board_folder.policy.lease

    def _free(self, item: Submission) -> bool:
        """Whether nobody works on it: never claimed, given back, out of lease, or claimed by this worker or one that has ended."""
        now = self.board_folder.ledger.clock()
        failed = item.events[-1]
        # A time of the future was written by a clock that ran fast: it blocks nobody.
        wait = self.board_folder.policy.retry * 2 ** min(item.failures - 1, LONGEST_WAIT)
        if (failed.kind == "failed" and abs(now - failed.at) < wait) or time.monotonic() < self._later.get(item.id, 0.0):
            return False
        return (
            item.claim is None
            or item.claim.data["by"] == self.who
            or not 0 < item.claim.data["until"] - now <= 2 * self.board_folder.policy.lease
            or not beats.alive(item.claim.data["by"])
        )

    def _append(self, name: str, kind: str, data: Json) -> None:
        """Write an event of a submission that is still ours.

        Raises:
            Lost: It is not.
        """

        def decide(now: LedgerState) -> Sequence[Draft]:
            item = now.submissions[name]
            claim = item.claim if kind != "listed" else item.last("claimed")
            if item.state in OVER or claim is None or claim.data["by"] != self.who:
                raise Lost
            return [Draft(name, kind, data)]

        self.board_folder.ledger.write(decide)

    @contextmanager
    def _renewed(self, claim: Event) -> Iterator[None]:
        """Renew the claim from a thread of its own while the block runs, so that a slow model does not lose it."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(self.board_folder.policy.lease / 3):
                self.beat()
                try:
                    self._append(claim.stream, "claimed", {"by": self.who, "until": self._until(), "renewed": True})
                except Lost:
                    return
                except (RanscoreError, OSError):
                    # A disk that is full, or a Hub that does not answer: the next renewal may get through.
                    continue

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _process(self, name: str) -> None:
        try:
            self._bring(self.board_folder.ledger.state().submissions[name])
        except RejectedError as error:
            self._append(name, "rejected", {"reasons": [str(problem) for problem in error.problems]})
        except (Lost, KeyboardInterrupt):
            raise
        except Exception as error:
            # What is not the submission's doing costs it no attempt.
            ours = isinstance(error, UnavailableError) or is_of_machine(error)
            self._append(name, "failed", {"why": words(error), "kind": type(error).__name__, "ours": ours})
            print(f"ranscore worker: {name} failed: {words(error)}", file=sys.stderr, flush=True)

    def _bring(self, item: Submission) -> None:
        """Score a submission that is not scored yet, and put it on the board."""
        if item.attempts > self.board_folder.policy.attempts:
            last = item.last("failed")
            why = str(last.data["why"]) if last else "whoever worked on it ended without a word"
            return self._append(item.id, "set aside", {"why": why, "attempts": item.attempts - 1})
        if item.state is not State.SCORED:
            self._score(item)
        self._projected(item.id)
        self._append(item.id, "listed", {})
        self._stale = True
        return self._projected(item.id)

    def _projected(self, name: str) -> None:
        """Put the store in order as far as it goes.

        Raises:
            Exception: What kept this submission from the board.
        """
        _, failed = projected(self.board_folder)
        if name in failed:
            raise failed[name]

    def _score(self, item: Submission) -> None:
        cohort = self._cohort(item.cohort)
        reports = self._validated(item, cohort)
        if item.state is State.RECEIVED:
            self._append(item.id, "validated", {})
        made = self._evaluate(item, cohort, reports)
        self.board_folder.store.keep_rows(made.record, made.rows, made.sides.patients)
        flags = [*gaming_flags.text_flags(reports), *gaming_flags.side_flags(made.sides.references, made.sides.candidates)]
        if made.record.counts.flagged:
            flags.append(f"flagged by the extractor: {made.record.counts.flagged} reports")
        self._append(item.id, "scored", {"record": records.to_json(made.record), "flags": flags})

    def _validated(self, item: Submission, cohort: Cohort) -> dict[str, str]:
        """The reports, checked again: not every file of a ledger was submitted through the page."""
        name = str(item.received.data["file"])
        content = self.board_folder.ledger.ledger_files.blob(name)
        if name != f"files/{sha256(content).hexdigest()}.jsonl":
            raise RejectedError(Problem("the stored file is not the one that was submitted", "Submit it again"))
        ids = [study.id for study in cohort.scored]
        checked = sandbox.check(content, "submission.jsonl", ids, cohort.manifest.section, self.board_folder.policy)
        if checked.problems:
            raise RejectedError(checked.problems)
        return read_canonical(content)

    def _cohort(self, digest: str) -> Cohort:
        if digest not in self._cohorts:
            self._cohorts[digest] = self.board_folder.cohort(digest)
        return self._cohorts[digest]

    def _evaluate(self, item: Submission, cohort: Cohort, reports: dict[str, str]) -> Evaluation:
        policy = self.board_folder.policy
        extractor = self._extractor(cohort)
        extractor.tell = lambda done, total: self._note(item.id, done, total)
        created = datetime.fromtimestamp(self.board_folder.ledger.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            return scorer.score(
                predictions=ReportSet(reports),
                references=cohort,
                extractor=extractor,
                metrics=policy.metrics or None,
                card=item.card,
                grade=Grade.SCORED_HERE,
                created=created,
            )
        finally:
            with suppress(OSError):
                (self.board_folder.root / "progress" / f"{item.id}.json").unlink(missing_ok=True)

    def _extractor(self, cohort: Cohort) -> Counted:
        digest = cohort.manifest.digest
        if digest not in self._extractors:
            policy = self.board_folder.policy
            metrics, _ = scorer.make_metrics(("ran-score",), "")
            inner = scorer.extractors_for(metrics, policy.extractor, cohort.manifest.access, policy.options)[0]
            texts = frozenset(cohort.reference(study.id) for study in cohort.scored)
            self._extractors[digest] = Counted(inner, remember=texts)
        return self._extractors[digest]

    def _note(self, name: str, done: int, total: int) -> None:
        with suppress(OSError):
            files.write(self.board_folder.root / "progress" / f"{name}.json", f"[{done}, {total}]\n")

    def _rank(self, patient: bool = False) -> None:
        """Make the ranks again, if anything changed since.

        Args:
            patient: While more may be waiting, at most a tenth of the time goes into ranks.
        """
        if not self._stale or (patient and time.monotonic() < self._rank_at):
            return
        started = time.monotonic()
        for made in ranks.make(self.board_folder.store, created=_stamp()):
            snapshot.save(self.board_folder.store.root, made)
        self.listed()
        self._stale = False
        self._rank_at = time.monotonic() + 10 * (time.monotonic() - started)


def _stamp() -> str:
    """Now, to the microsecond: of two snapshots within one second the later one sorts later."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def progress(board_folder: BoardFolder, name: str) -> tuple[int, int] | None:
    """How many of a submission's reports are extracted, of how many; None where nobody knows."""
    path = board_folder.root / "progress" / f"{name}.json"
    source = Source(str(path), "the note of how far a worker is", "It is written again")
    try:
        return shaped(tuple[int, int], parse(content(path, source), source), source)
    except StoreError:
        return None


def wait(board_folder: BoardFolder, name: str, seconds: float) -> Submission | None:
    """A submission as soon as nothing waits any more, or after some seconds."""
    end = time.monotonic() + seconds
    while (item := board_folder.ledger.find(name)) and item.state not in OVER and time.monotonic() < end:
        time.sleep(0.2)
    return item
