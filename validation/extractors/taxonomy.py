"""Do 21 findings describe a cohort? What its reports assert, grouped by meaning, and what no finding takes in.

The embedded extractor reads every sentence by itself. What it asserts is named by the words that decided; a sentence that says something
abnormal which is none of the 21 is named by its own words. Equal names are grouped by their letters (scikit-learn), so that spellings and
word forms come together.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.errors import Problem, RefusedError, UsageError
from harness.findings import NO_FINDING, RAN_21, UNSURE
from harness.types import Access, Extractor, Labels

AGREEMENT = "I may keep words of these reports in a file under the data use agreement"
"""What somebody types before words of a credentialed cohort are written into a table."""
MOST = 1500
"""Different terms that are compared with each other; rarer ones join the nearest group."""
APART = 0.75
"""Cosine distance of letters up to which terms are one group."""
FEWEST = 2
"""Reports that must say a term before it is an example: a single one could be recognised."""
NONE = "none of the 21"
ANATOMY = {
    "heart and vessels": r"cardi|heart|aort|vascul|vessel|arter|venous|valv|congest",
    "mediastinum and airways": r"mediastin|hil(?:ar|um)|trache|bronch|thyroid|node|esophag",
    "pleura": r"pleur|effusion|pneumothora|costophren|hydro",
    "bones and soft tissues": r"bone|osse|rib|spin|vertebra|fractur|scolio|degenerat|clavic|shoulder|osteo|kypho|humer|sternot",
    "devices": r"tube|cathet|line|pacemak|lead|device|clip|wire|stent|port|drain|picc|valve|suture",
    "abdomen": r"hiatal|hernia|bowel|stomach|gastric|abdom|diaphragm|liver|chole|free air",
    "lungs": r"lung|pulmon|opac|consolid|atelect|infiltrat|nodul|mass|edema|emphysem|interstit|granulom|pneumon|airspace|cavit|cyst|fibro|scar|calcif",
}
"""Where in the body the words of a term are; the first that fits."""
_WORD = re.compile(r"[a-z\u3400-\u9fff]+")
_EMPTY = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "is",
        "are",
        "was",
        "were",
        "be",
        "there",
        "with",
        "without",
        "and",
        "or",
        "to",
        "at",
        "on",
        "for",
        "by",
        "as",
        "has",
        "have",
        "had",
        "no",
        "this",
        "that",
        "which",
        "it",
        "its",
        "from",
        "left",
        "right",
        "bilateral",
        "mild",
        "moderate",
        "severe",
        "small",
        "large",
        "stable",
        "unchanged",
        "again",
        "noted",
        "seen",
        "also",
        "again",
        "upper",
        "lower",
        "mid",
    ]
)
_END = re.compile(r"(?<=[.;!?。；！？])\s*|\n+")


@dataclass(frozen=True, slots=True)
class Statement:
    """Something abnormal that one sentence of a report asserts."""

    study: str
    term: str
    finding: str
    """One of the 21 findings, or `NONE`."""


@dataclass(frozen=True, slots=True)
class TermGroup:
    """Terms that mean the same."""

    name: str
    """Its most common term."""
    anatomy: str
    finding: str
    """The finding that takes in most of its statements, or `NONE`."""
    pure: float
    """Share of its statements that this finding takes in."""
    reports: int
    share: float
    """Share of the reports of the cohort."""
    examples: tuple[str, ...]
    """Its most common terms that at least `FEWEST` reports say."""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """What the reports of a cohort assert."""

    cohort: str
    reports: int
    statements: int
    outside: int
    """Statements that no finding takes in."""
    groups: tuple[TermGroup, ...] = field(default=())

    @property
    def outside_share(self) -> float:
        """Share of the abnormal statements that no finding takes in."""
        return self.outside / self.statements if self.statements else 0.0

    @property
    def found(self) -> tuple[str, ...]:
        """The findings that are at least half of a group of their own."""
        known = {group.finding for group in self.groups if group.pure >= 0.5}
        return tuple(name for name in RAN_21 if name in known)


def permit(access: Access, agreement: str) -> None:
    """Let words of reports into a table.

    Raises:
        RefusedError: The cohort is credentialed, and the sentence was not typed.
    """
    if access is Access.CREDENTIALED and agreement != AGREEMENT:
        what = "the table holds words of the reports of a credentialed cohort"
        raise RefusedError(Problem(what, f"If you may keep them, say --agree {AGREEMENT!r}, and keep the files on this machine"))


def statements(reports: Mapping[str, str], extractor: Extractor) -> list[Statement]:
    """What every sentence of every report asserts.

    Args:
        reports: By study the text.
        extractor: Names the words that decided, as the embedded one does.

    Raises:
        UsageError: The extractor does not name the words that decided.
    """
    listed = [(study, part.strip()) for study, text in reports.items() for part in _END.split(text) if part and part.strip()]
    different = list(dict.fromkeys(part for _, part in listed))
    labels = dict(zip(different, extractor.extract(different), strict=True))
    if not any(own.evidence for own in labels.values()):
        raise UsageError("the terms of a taxonomy are the words that decided: use an extractor that names them, such as lexical")
    return [Statement(study, term, finding) for study, part in listed for term, finding in _asserted(part, labels[part])]


def _asserted(part: str, labels: Labels) -> Iterator[tuple[str, str]]:
    """The terms of one sentence, with the finding that takes each in."""
    if UNSURE in labels.flags:
        if term := normal(part):
            yield term, NONE
        return
    for place, name in enumerate(RAN_21):
        spans = labels.evidence[place] if labels.evidence and name != NO_FINDING and labels.values[place] == 1 else ()
        if term := normal(" ".join(part[start:end] for start, end in spans)):
            yield term, name


def normal(text: str) -> str:
    """A term as it is compared: lower case, without numbers, sides and words that mean nothing alone."""
    return " ".join(word for word in _WORD.findall(text.lower()) if word not in _EMPTY)


def explore(cohort: str, reports: Mapping[str, str], extractor: Extractor) -> Taxonomy:
    """Group what the reports of a cohort assert.

    Args:
        cohort: Its name.
        reports: By study the text.
        extractor: See `statements`.
    """
    listed = statements(reports, extractor)
    outside = sum(item.finding == NONE for item in listed)
    if not listed:
        return Taxonomy(cohort, len(reports), 0, 0)
    counts = Counter(item.term for item in listed)
    terms = sorted(counts, key=lambda term: (-counts[term], term))
    number = dict(zip(terms, grouped(terms).tolist(), strict=True))
    by_group: dict[int, list[Statement]] = defaultdict(list)
    for item in listed:
        by_group[number[item.term]].append(item)
    groups = [_group(own, len(reports)) for own in by_group.values()]
    return Taxonomy(cohort, len(reports), len(listed), outside, tuple(sorted(groups, key=lambda item: (-item.reports, item.name))))


def grouped(terms: Sequence[str]) -> NDArray[np.int64]:
    """The number of each term's group.

    Args:
        terms: Different terms, the most common first.
    """
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(terms)
    first = vectors[:MOST]
    if first.shape[0] < 2:
        return np.zeros(len(terms), dtype=np.int64)
    near = AgglomerativeClustering(n_clusters=None, distance_threshold=APART, metric="cosine", linkage="average")
    known = near.fit_predict(first.toarray())
    rest = [known[(first @ vectors[index].T).toarray().ravel().argmax()] for index in range(MOST, len(terms))]
    return np.array([*known, *rest], dtype=np.int64)


def _group(own: Sequence[Statement], reports: int) -> TermGroup:
    takes, size = Counter(item.finding for item in own).most_common(1)[0]
    said: dict[str, set[str]] = defaultdict(set)
    for item in own:
        said[item.term].add(item.study)
    ordered = sorted(said, key=lambda term: (-len(said[term]), term))
    examples = tuple(term for term in ordered if len(said[term]) >= FEWEST)[:6]
    studies = {item.study for item in own}
    name = examples[0] if examples else "(rare words)"
    return TermGroup(name, anatomy(ordered[0]), takes, size / len(own), len(studies), len(studies) / reports, examples)


def anatomy(term: str) -> str:
    """Where in the body a term is."""
    return next((place for place, words in ANATOMY.items() if re.search(words, term)), "elsewhere")


def as_csv(taxonomy: Taxonomy) -> str:
    """One line a group, the most common first."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["group", "anatomy", "finding", "share of statements in it", "reports", "share of reports", "examples"])
    for item in taxonomy.groups:
        shares = (f"{item.pure:z.3f}", item.reports, f"{item.share:.4f}")
        writer.writerow([item.name, item.anatomy, item.finding, *shares, " | ".join(item.examples)])
    return stream.getvalue()


def as_page(taxonomy: Taxonomy) -> str:
    """The same as a page, with what no finding takes in first."""
    outside = [item for item in taxonomy.groups if item.finding == NONE]
    inside = [item for item in taxonomy.groups if item.finding != NONE]
    title = html.escape(f"What the reports of {taxonomy.cohort} assert")
    lead = (
        f"{taxonomy.reports:,} reports, {taxonomy.statements:,} abnormal statements in {len(taxonomy.groups):,} groups. "
        f"No finding takes in {taxonomy.outside:,} of them ({taxonomy.outside_share:.1%}). "
        f"{len(taxonomy.found)} of the 20 findings have a group of their own."
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<style>body{font:16px/1.5 system-ui,sans-serif;margin:1rem auto;max-width:75rem;padding:0 1rem}table{border-collapse:collapse}"
        "td,th{border-bottom:1px solid #ccc;padding:.2rem .6rem;text-align:left}div{overflow-x:auto}</style></head><body>"
        f"<h1>{title}</h1><p>{html.escape(lead)}</p><h2>What no finding takes in</h2>{_table(outside)}<h2>Findings</h2>{_table(inside)}"
        "</body></html>\n"
    )


def _table(groups: Sequence[TermGroup]) -> str:
    heads = "".join(f"<th>{head}</th>" for head in ("Group", "Anatomy", "Finding", "Reports", "Share", "Examples"))
    rows = [(item.name, item.anatomy, item.finding, f"{item.reports:,}", f"{item.share:.1%}", "; ".join(item.examples)) for item in groups]
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div><table><tr>{heads}</tr>{body}</table></div>"
