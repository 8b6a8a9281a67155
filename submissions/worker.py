"""The worker: takes what waits, extracts and scores it once, whatever is killed when.

Claims are events with a lease. What counts is who writes the event `scored`: only the one who holds the newest claim can, and the record
stands in that event. The store follows from the ledger, so a death after it costs nothing and a death before it only time.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex

from harness import files, ranks, scoring, snapshot
from harness import record as records
from harness.errors import InputError, Problem, RanscoreError, UnavailableError
from harness.evaluate import Evaluation
from harness.types import Cohort, Extractor, Grade, Json, Labels
from submissions import probes, sandbox
from submissions.desk import Desk
from submissions.events import OVER, Books, Event, State, Submission
from submissions.ledger import Draft
from submissions.listing import project, read_canonical

CHUNK = 32
"""Reports between two looks at the clock."""


class Lost(Exception):  # noqa: N818 - a way out; nobody sees it
    """The claim went to another worker, or the submission was withdrawn meanwhile."""


class RejectedError(InputError):
    """The submission itself is at fault; nobody needs to try again."""


@dataclass(slots=True)
class Counted:
    """An extractor that says how far it is, and remembers what it labelled: references are read once, not once a submission."""

    inner: Extractor
    tell: Callable[[int, int], None] = lambda done, total: None
    _known: dict[str, Labels] = field(default_factory=dict)
    remember: frozenset[str] = frozenset()
    """Texts whose labels are kept."""

    @property
    def name(self) -> str:
        """The inner one's."""
        return self.inner.name

    @property
    def vocabulary(self) -> str:
        """The inner one's."""
        return self.inner.vocabulary

    @property
    def digest(self) -> str:
        """The inner one's."""
        return self.inner.digest

    @property
    def official(self) -> bool:
        """The inner one's."""
        return bool(getattr(self.inner, "official", False))

    @property
    def by(self) -> str:
        """The inner one's."""
        return str(getattr(self.inner, "by", ""))

    @property
    def unnamed(self) -> int:
        """The inner one's."""
        return int(getattr(self.inner, "unnamed", 0))

    def extract(self, texts: Sequence[str]) -> Sequence[Labels]:
        """Label texts, a few at a time."""
        asked = [text for text in dict.fromkeys(texts) if text not in self._known]
        found: dict[str, Labels] = {}
        for start in range(0, len(asked), CHUNK):
            part = asked[start : start + CHUNK]
            found.update(zip(part, self.inner.extract(part), strict=True))
            self.tell(min(start + CHUNK, len(asked)), len(asked))
        self._known.update({text: found[text] for text in self.remember & found.keys()})
        return [self._known.get(text) or found[text] for text in texts]


@dataclass(slots=True)
class Worker:
    """One worker of one desk."""

    desk: Desk
    who: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}")
    listed: Callable[[], object] = lambda: None
    """Called after the board changed (to push it to the Hub)."""
    takes: Callable[[Submission], bool] = lambda _: True
    """Which submissions this worker works on; the page's own takes those of open cohorts whose text is beside it."""
    _stale: bool = True
    """Whether the board changed since ranks were made; not known at the start."""
    _rank_at: float = 0.0
    _cohorts: dict[str, Cohort] = field(default_factory=dict)
    _extractors: dict[str, Counted] = field(default_factory=dict)

    def run(self, *, once: bool = False, poll: float = 2.0, stop: threading.Event | None = None) -> int:
        """Work off what waits; then, unless `once`, wait for more until stopped.

        Returns:
            How many submissions were finished.
        """
        stop = stop or threading.Event()
        finished = 0
        while not stop.is_set():
            try:
                self.beat()
                if (done := self.step()) is not None:
                    finished += done.state in OVER
                    self._rank(patient=True)
                    continue
                self.tidy()
            except UnavailableError as error:
                if once:
                    raise
                print(f"ranscore worker: {error}", file=sys.stderr)
            if once:
                break
            stop.wait(poll)
        return finished

    def tidy(self) -> None:
        """Put the store in order after a crash, a withdrawal or a date that passed; ranks follow."""
        self._stale |= project(self.desk)
        self._rank()

    def beat(self) -> None:
        """Say that this worker lives; not part of the ledger."""
        name = sha256(self.who.encode()).hexdigest()[:12]
        files.write(self.desk.root / "workers" / f"{name}.json", f'{{"at": {self.desk.ledger.clock():.0f}}}\n')

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
        return self.desk.ledger.books().submissions[claim.stream]

    def _claim(self) -> Event | None:
        def decide(now: Books) -> Sequence[Draft]:
            item = next((item for item in now.waiting if self.takes(item) and self._free(item)), None)
            return [] if item is None else [Draft(item.id, "claimed", {"by": self.who, "until": self._until()})]

        return next(iter(self.desk.ledger.write(decide)), None)

    def _until(self) -> float:
        return self.desk.ledger.clock() + self.desk.policy.lease

    def _free(self, item: Submission) -> bool:
        """Whether nobody works on it: never claimed, given back, out of lease, or claimed by a process of this machine that is gone."""
        now = self.desk.ledger.clock()
        failed = item.last("failed")
        if failed and failed is item.events[-1] and now < failed.at + self.desk.policy.retry:
            return False
        return item.claim is None or now >= item.claim.data["until"] or not _alive(item.claim.data["by"])

    def _append(self, name: str, kind: str, data: Json) -> None:
        """Write an event of a submission that is still ours.

        Raises:
            Lost: It is not.
        """

        def decide(now: Books) -> Sequence[Draft]:
            item = now.submissions[name]
            claim = item.claim if kind != "listed" else item.last("claimed")
            if item.state in OVER or claim is None or claim.data["by"] != self.who:
                raise Lost
            return [Draft(name, kind, data)]

        self.desk.ledger.write(decide)

    @contextmanager
    def _renewed(self, claim: Event) -> Iterator[None]:
        """Renew the claim from a thread of its own while the block runs, so that a slow model does not lose it."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(self.desk.policy.lease / 3):
                try:
                    self._append(claim.stream, "claimed", {"by": self.who, "until": self._until(), "renewed": True})
                except (Lost, RanscoreError, OSError):
                    return

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _process(self, name: str) -> None:
        item = self.desk.ledger.books().submissions[name]
        if item.state is not State.SCORED:
            try:
                self._score(item)
            except RejectedError as error:
                return self._append(name, "rejected", {"reasons": [str(problem) for problem in error.problems]})
            except (Lost, KeyboardInterrupt):
                raise
            except Exception as error:
                # The message of a foreign exception may quote a report: its kind alone is written down.
                why = str(error) if isinstance(error, RanscoreError) else type(error).__name__
                self._append(name, "failed", {"why": why, "ours": isinstance(error, RanscoreError)})
                print(f"ranscore worker: {name} failed: {why}", file=sys.stderr)
                return None
        project(self.desk)
        self._append(name, "listed", {})
        self._stale = True
        project(self.desk)
        return None

    def _score(self, item: Submission) -> None:
        if item.attempts > self.desk.policy.attempts:
            raise RejectedError(Problem(f"it was begun {item.attempts - 1} times and never finished", "Write to those who run the board"))
        cohort = self._cohort(item.cohort)
        reports = self._validated(item, cohort)
        if item.state is State.RECEIVED:
            self._append(item.id, "validated", {})
        made = self._evaluate(item, cohort, reports)
        self.desk.store.keep_rows(made.record, made.rows, made.sides.patients)
        flags = [*probes.text_flags(reports), *probes.side_flags(made.sides.references, made.sides.candidates)]
        if made.record.counts.flagged:
            flags.append(f"flagged by the extractor: {made.record.counts.flagged} reports")
        self._append(item.id, "scored", {"record": records.to_json(made.record), "flags": flags})

    def _validated(self, item: Submission, cohort: Cohort) -> dict[str, str]:
        """The reports, checked again: not everything that lies on a shelf came through the page."""
        name = str(item.received.data["file"])
        content = self.desk.ledger.shelf.blob(name)
        if name != f"files/{sha256(content).hexdigest()}.jsonl":
            raise RejectedError(Problem("the stored file is not the one that was handed in", "Hand it in again"))
        ids = [study.id for study in cohort.scored]
        checked = sandbox.check(content, "submission.jsonl", ids, cohort.manifest.section, self.desk.policy)
        if checked.problems:
            raise RejectedError(checked.problems)
        return read_canonical(content)

    def _cohort(self, digest: str) -> Cohort:
        if digest not in self._cohorts:
            self._cohorts[digest] = self.desk.cohort(digest)
        return self._cohorts[digest]

    def _evaluate(self, item: Submission, cohort: Cohort, reports: dict[str, str]) -> Evaluation:
        policy = self.desk.policy
        extractor = self._extractor(cohort)
        extractor.tell = lambda done, total: self._note(item.id, done, total)
        created = datetime.fromtimestamp(self.desk.ledger.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            return scoring.score(
                reports,
                cohort,
                extractor=extractor,
                metrics=policy.metrics or None,
                card=item.card,
                grade=Grade.SCORED_HERE,
                created=created,
            )
        finally:
            (self.desk.root / "progress" / f"{item.id}.json").unlink(missing_ok=True)

    def _extractor(self, cohort: Cohort) -> Counted:
        digest = cohort.manifest.digest
        if digest not in self._extractors:
            policy = self.desk.policy
            metrics, _ = scoring.make_metrics(("ran-score",), "")
            inner = scoring.extractors_for(metrics, policy.extractor, cohort.manifest.access, policy.options)[0]
            texts = frozenset(cohort.reference(study.id) for study in cohort.scored)
            self._extractors[digest] = Counted(inner, remember=texts)
        return self._extractors[digest]

    def _note(self, name: str, done: int, total: int) -> None:
        files.write(self.desk.root / "progress" / f"{name}.json", f"[{done}, {total}]\n")

    def _rank(self, patient: bool = False) -> None:
        """Make the ranks anew, if anything changed since.

        Args:
            patient: While more may be waiting, at most a tenth of the time goes into ranks.
        """
        if not self._stale or (patient and time.monotonic() < self._rank_at):
            return
        started = time.monotonic()
        for made in ranks.make(self.desk.store, created=_stamp()):
            snapshot.save(self.desk.store.root, made)
        self.listed()
        self._stale = False
        self._rank_at = time.monotonic() + 10 * (time.monotonic() - started)


def _stamp() -> str:
    """Now, to the microsecond: of two snapshots within one second the later one sorts later."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _alive(who: str) -> bool:
    """Whether a worker may still live: no where it was a process of this machine that is gone."""
    host, process, _ = who.rsplit(":", 2)
    if host != socket.gethostname() or os.name == "nt":
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def progress(desk: Desk, name: str) -> tuple[int, int] | None:
    """How many of a submission's reports are extracted, of how many; None where nobody knows."""
    try:
        done, total = json.loads((desk.root / "progress" / f"{name}.json").read_text())
        return int(done), int(total)
    except (OSError, ValueError, TypeError):
        return None


def wait(desk: Desk, name: str, seconds: float) -> Submission | None:
    """A submission as soon as nothing waits any more, or after some seconds."""
    end = time.monotonic() + seconds
    while (item := desk.ledger.find(name)) and item.state not in OVER and time.monotonic() < end:
        time.sleep(0.2)
    return item
