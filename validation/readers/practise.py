"""`readers practise`: a settled standard as an exercise, with its answer after one's own and one's own F1 at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aiohttp import web

from harness.errors import InputError, Problem, UsageError
from harness.findings import NO_FINDING, RAN_21
from harness.formats import label_files
from harness.formats.complaints import Complaints
from harness.metrics import metric
from harness.metrics.findings_f1 import FindingsF1, reference_decisions
from harness.types import Input, Labels, Status
from validation.readers import page, sheets, standard
from validation.readers.draw import shuffled
from validation.readers.folder import Folder
from validation.readers.study import ReadingStudy, Showing
from validation.readers.texts import Texts
from validation.readers.web import Handler, ListenAddress, app, asked, run
from validation.readers.web import page as answer_page

LEARNER = "practise"


@dataclass(frozen=True, slots=True)
class Exercise:
    """Some items of a standard, in an order of their own."""

    name: str
    study: ReadingStudy
    """The study with one sheet: the learner's."""
    texts: Texts = field(repr=False)
    labels: Mapping[str, Labels]
    """The standard, by row of its label file."""

    def routes(self) -> dict[tuple[str, str], Handler]:
        """What is answered."""
        return {("GET", "/"): self.sheet, ("POST", "/check"): self.check, ("POST", "/score"): self.score}

    def truth(self, position: int) -> Labels:
        """The standard's labels of the item at a position."""
        item = self.study.item(self.study.orders[LEARNER][position - 1].item)
        return self.labels[item.row]

    async def sheet(self, request: web.Request) -> web.StreamResponse:
        """The page."""
        view = page.of_reader(self.name, self.study, LEARNER, self.texts, "practise")
        return answer_page(page.document(view), page.policy(view))

    async def check(self, request: web.Request) -> web.StreamResponse:
        """The standard's answers about one report."""
        position = (await asked(request)).get("position")
        if not isinstance(position, int) or not 1 <= position <= len(self.study.orders[LEARNER]):
            raise web.HTTPBadRequest
        truth = self.truth(position)
        known = {
            name: value if status is Status.OK else None for name, value, status in zip(RAN_21, truth.values, truth.statuses, strict=True)
        }
        return web.json_response({"answers": {name: value for name, value in known.items() if name != NO_FINDING}})

    async def score(self, request: web.Request) -> web.StreamResponse:
        """The learner's F1 against the standard."""
        complaints = Complaints("")
        replies = sheets.parse_replies((await asked(request)).get("answers"), self.study, LEARNER, complaints)
        if complaints.problems:
            raise web.HTTPBadRequest
        own = {at: label_files.from_rows(dict(reply.values)) for at, reply in replies.items()}
        return web.json_response(result(self.study, [(self.truth(at), own[at]) for at in sorted(own)]))


def result(study: ReadingStudy, pairs: Sequence[tuple[Labels, Labels]]) -> dict[str, object]:
    """Macro F1 over the findings that the standard has in these reports, and each finding's counts; *No Finding* is left out.

    Args:
        study: Gives the names of the findings.
        pairs: The standard's labels and the learner's, report by report.
    """
    scorer = metric("ran-score")
    assert isinstance(scorer, FindingsF1)
    sides = [[Input(str(at), "", labels={"ran-21": pair[side]}) for at, pair in enumerate(pairs)] for side in (0, 1)]
    total = scorer.rows(sides[0], sides[1]).sum(axis=0) if pairs else None
    parts = scorer.score(total) if total is not None else {}
    names = {question.id: question.name for question in study.form.questions}
    rows, scores = [], []
    for index, finding in enumerate(RAN_21):
        if finding == NO_FINDING or total is None:
            continue
        true, invented, missed, _ = (int(count) for count in total[4 * index : 4 * index + 4])
        if true + invented + missed:
            f1 = float(parts[f"f1:{finding}"])
            rows.append([names[finding], str(true + missed), str(true), str(invented), f"{f1:.2f}"])
            scores += [f1] if true + missed else []
    return {"f1": f"{sum(scores) / len(scores):z.3f}" if scores else "–", "findings": len(scores), "rows": rows}


def exercise(folder: Folder, texts: Texts, count: int, seed: str) -> Exercise:
    """Choose items of a settled standard; those with findings first, so that there is something to find.

    Args:
        folder: The study's.
        texts: The texts of its items.
        count: How many.
        seed: Decides which, and in which order.

    Raises:
        UsageError: The study is of another kind.
        InputError: It is not settled.
    """
    study = folder.study()
    if study.kind != "findings":
        raise UsageError(f"an exercise needs a standard of findings; {folder.name} is one of {study.kind}")
    labels = standard.labels_of(folder.path)
    if count < 1:
        raise UsageError(f"an exercise has at least 1 report, not {count}")
    ordered = shuffled([item.id for item in study.items], seed, "practise")
    known = {item.id: labels[item.row] for item in study.items if item.row in labels}
    if len(known) < len(study.items):
        raise InputError(Problem("the standard has no labels for some of its items", "Run `ranscore readers check`", str(folder.path)))
    abnormal = [name for name in ordered if 1 in reference_decisions(known[name])[:7] + reference_decisions(known[name])[8:]]
    normal = [name for name in ordered if name not in set(abnormal)]
    chosen = shuffled((abnormal[: count - count // 5] + normal + abnormal[count - count // 5 :])[:count], seed, "order")
    sheet = {LEARNER: tuple(Showing(name) for name in chosen)}
    return Exercise(folder.name, replace(study, orders=sheet), texts, labels)


def serve(made: Exercise, place: ListenAddress, tell: Callable[[str], None]) -> None:
    """Serve an exercise until interrupted; nothing of it is kept."""
    run(place, app(place, made.routes()), lambda base: tell(f"{base}/"))
