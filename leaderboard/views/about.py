"""What the numbers mean, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from harness.cohorts.describe import Spread, TableOne
from harness.findings import FINDINGS
from harness.records.paper_table import source
from harness.records.record import Record
from harness.records.summary import findings_table
from leaderboard.board import Board
from leaderboard.html.addresses import Addresses
from leaderboard.html.markup import Html, el, grid, join
from leaderboard.views.board import MEANING, heading, links

METRICS = {
    "ran-score": (
        "Ran Score",
        "Which of 21 findings does a report assert, and are they the radiologist's? F1 of each finding, then their plain mean: a rare finding weighs as much as a common one. 0 is nothing right, 1 is everything.",
    ),
    "bleu": (
        "BLEU-1 to 4",
        "How many runs of 1 to 4 words the report shares with the reference. Rewards the usual phrases of a normal report, whether or not they are true.",
    ),
    "rouge-l": ("ROUGE-L", "The longest sequence of words, gaps allowed, that both reports share."),
    "meteor-1.5": ("METEOR", "Shared words, their stems and synonyms, with a penalty for another order."),
    "meteor-nltk": ("METEOR (NLTK)", "The same idea in another program; its numbers are not those of METEOR 1.5."),
    "cider": ("CIDEr", "Shared word runs, each weighted by how rare it is in the references."),
    "cider-d": ("CIDEr-D", "CIDEr with a guard against repeating words."),
    "chexbert-f1": ("CheXbert F1", "F1 over 14 observations that a released classifier reads from both reports."),
    "bertscore": ("BERTScore", "How alike the words of both reports are to a language model."),
    "semb-score": ("SembScore", "How alike both reports are to CheXbert's inner representation."),
    "radgraph-f1": ("RadGraph F1", "Shared entities and relations, as a released model reads them."),
    "radcliq": ("RadCliQ", "A weighted sum of other scores, fitted to radiologists' counts of errors; lower is better."),
}
"""By metric its name and what it measures, in words for a reader of the board."""

STATISTICS = (
    ("Intervals", "95 %, by leaving out each patient in turn: studies of one patient are not independent, so patients are counted, not studies."),
    ("Ranks", "1 + the number of ranked systems that are significantly better (paired, two-sided, 5 %). Two systems can share a rank; the brackets say which places a system may have."),
    ("Smallest difference", "The board gives the difference between two systems that a cohort of this size detects with 80 % power."),
    ("Many tests", "Over 21 findings the p values are corrected by Holm's method. Ranks are not corrected: each is one answer to one question."),
    ("Nothing is dropped", "A missing, empty or unreadable report counts as asserting nothing. Each row says how many there were."),
    ("Who is ranked", "Systems whose reports were scored or generated here. Floors, ceilings, reported rows and those that were scored elsewhere have no rank."),
)  # fmt: skip


def view(board: Board, record: Record, table: TableOne | None, others: Sequence[Board], to: Addresses) -> Html:
    """The whole page.

    Args:
        record: Any record of the board: it knows how many references have each finding.
        table: The cohort's Table 1, where the cohort is on this machine and open.
    """
    used = {result.name for row in (record,) for result in row.metrics}
    known = [(title, words) for name, (title, words) in METRICS.items() if name in used]
    rest = [(title, words) for name, (title, words) in METRICS.items() if name not in used]
    return el(
        "div",
        heading(board, others, "about", to),
        el(
            "p",
            "Chest X-ray report generators are usually compared by how many words they share with a radiologist's report. This board asks what a reader needs to know: are the findings right?",
            class_="rs-lead",
        ),
        el("section", el("h3", "The scores of this board"), definitions(known), el("p", links(board, to))),
        el("section", el("h3", "The statistics"), definitions(STATISTICS)),
        el("section", el("h3", "Evidence"), definitions([(grade.value, meaning) for grade, meaning in MEANING.items()])),
        cohort(board, record, table),
        el("section", el("h3", "The 21 findings"), definitions([(item.name, item.definition) for item in FINDINGS])),
        el("details", el("summary", "Other scores that this program knows"), definitions(rest)) if rest else None,
        paper(),
        class_="rs-view rs-about",
        data_board=board.key,
    )


def definitions(items: Sequence[tuple[str, str]]) -> Html:
    """Terms and what they mean."""
    return el("dl", join(join([el("dt", name), el("dd", words)]) for name, words in items))


def cohort(board: Board, record: Record, table: TableOne | None) -> Html:
    """Table 1: who the studies are, how common each finding is."""
    card = board.cohort
    lines: list[list[object]] = [
        ["Studies", f"{card.studies:,}"],
        ["Patients", f"{card.patients:,}"],
        ["Section", card.section.value],
        ["Access", card.access.value],
    ]
    if table:
        lines += [
            ["Source", table.source],
            ["Age in years", _spread(table.age)],
            ["Sex", ", ".join(f"{name} {count}" for name, count in table.sex.items())],
        ]
        lines += [[f"{table.unit.capitalize()} per report", _spread(table.length)]]
        lines += [
            [name.capitalize(), ", ".join(f"{group} {count}" for group, count in groups.items())] for name, groups in table.strata.items()
        ]
    counts = next((found for result in record.metrics if (found := findings_table(result))), ())
    common = [
        [item.finding, item.positives, f"{item.positives / card.studies:.1%}"] for item in sorted(counts, key=lambda item: -item.positives)
    ]
    return el(
        "section",
        el("h3", f"The cohort: {card.name}"),
        grid(f"Table 1 of {card.name}", ["Fact", "Value"], lines, sortable=False, hidden=True),
        grid("How common each finding is", ["Finding", "Studies with it", "Share"], common, hidden=True) if common else None,
        el("p", "Digest: ", el("code", card.digest), class_="rs-fine"),
    )


def _spread(found: Spread) -> str:
    if not found.known:
        return "not known"
    return f"median {found.median:.3g} (quartiles {found.lower:.3g} to {found.upper:.3g}; known for {found.known})"


def paper() -> Html:
    """Where it comes from."""
    return el(
        "section",
        el("h3", "The paper"),
        el(
            "p",
            source(),
            ". Its Table 5 is under the board, with micro precision and recall exchanged back: the printed columns cannot both be right, and the notes on the paper (docs/notes-on-the-paper.md) show why.",
        ),
    )
