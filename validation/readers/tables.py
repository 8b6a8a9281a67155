"""How far the readers of a study agree: per question, for all questions together, for every pair of readers, and with themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from harness.statistics.reader_agreement import MISSING, STATISTICS, Agreement, Votes, agreement, pairwise, stacked
from harness.types import Json
from validation.readers.questions import JUDGEMENT
from validation.readers.rule import CAUSES, Answers, decide
from validation.readers.study import ReadingStudy

FEW = 10
"""With fewer present or fewer absent items nothing is claimed of a question by itself."""
INTRA = ("raw", "cohen")


def make(study: ReadingStudy, found: Sequence[Answers]) -> Json:
    """The agreement table, as JSON for a standard.

    Args:
        study: The study.
        found: From `rule.answers`.

    Returns:
        `questions` and `overall` (counts, measures with intervals, agreement of readers with themselves), `pairs` (kappa of every pair of
        readers over all questions) and `selves` (each reader with herself).
    """
    votes = [_votes(study, one) for one in found]
    judged = [(one, own) for one, own in zip(found, votes, strict=True) if one.question.id != JUDGEMENT]
    together, twice = stacked([own for _, own in judged]), _selves(study, [one for one, _ in judged])
    return {
        "readers": len(study.readers),
        "items": len(study.items),
        "patients": len({item.patient for item in study.items}),
        "questions": [_question(study, one, own) for one, own in zip(found, votes, strict=True)],
        "overall": {"measures": _measures(together), "self": _self(twice)},
        "pairs": [[one, other, *_triple(item)] for (one, other), item in pairwise(together).items()],
        "selves": [_self(_selves(study, [one for one, _ in judged], reader)) for reader in range(len(study.readers))],
    }


def _votes(study: ReadingStudy, one: Answers) -> Votes:
    codes = one.question.categories()
    values = np.array([[codes[value] for value in row] for row in one.first], dtype=np.int8)
    weighted = study.draw.how == "rare"
    return Votes(
        values=values.reshape(len(study.items), len(study.readers)),
        categories=len(one.question.values),
        patients=[item.patient for item in study.items],
        strata=[item.stratum for item in study.items] if weighted else (),
        weights=[item.weight for item in study.items] if weighted else (),
    )


def _question(study: ReadingStudy, one: Answers, votes: Votes) -> Json:
    values = one.question.values
    decided = [decide([None if code == MISSING else values[code] for code in row], study.at_least) for row in votes.values.tolist()]
    counts = Counter(item.value for item in decided)
    causes = Counter(item.cause for item in decided if item.value is None)
    rarest = min(counts[values[0]], counts[values[1]]) if one.question.id != JUDGEMENT else len(decided) - causes.total()
    return {
        "id": one.question.id,
        "name": one.question.name,
        "answers": {str(value): counts[value] for value in values},
        "undecided": {cause: causes[cause] for cause in CAUSES},
        "few": rarest < FEW,
        "measures": _measures(votes),
        "self": _self(_selves(study, [one])),
    }


def _measures(votes: Votes) -> Json:
    found = agreement(votes)
    return {name: _triple(found[name]) for name in STATISTICS}


def _triple(item: Agreement) -> list[float]:
    return [item.value, *item.interval]


def _selves(study: ReadingStudy, found: Sequence[Answers], reader: int | None = None) -> Votes:
    """First and second answers as if they were two readers'."""
    rows, patients = [], []
    for one in found:
        codes = one.question.categories()
        for item, number, value in one.again:
            if reader is None or number == reader:
                rows.append([codes[one.first[item][number]], codes[value]])
                patients.append(study.items[item].patient)
    categories = max((len(one.question.values) for one in found), default=2)
    return Votes(values=np.array(rows, dtype=np.int8).reshape(-1, 2), categories=categories, patients=patients)


def _self(votes: Votes) -> Json:
    """Agreement of first and second answers, with how many there are of each."""
    both = votes.values[(votes.values != MISSING).all(axis=1)] if len(votes.values) else votes.values
    if not len(both):
        return {"answers": 0, "few": True, "measures": {}}
    found = agreement(votes)
    rarest = min(int((both[:, 0] == kind).sum()) for kind in (0, 1))
    return {"answers": len(both), "few": rarest < FEW, "measures": {name: _triple(found[name]) for name in INTRA}}
