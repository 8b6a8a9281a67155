"""What a notebook shows of a result: short, escaped, as a table in every form, and never a report."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.cohorts.table import from_table
from harness.errors import UnavailableError, UsageError
from harness.records.comparison import Comparison
from harness.records.result_table import Presented, ResultTable
from harness.scoring.evaluation import Evaluation
from harness.types import Access, SystemCard
from ranscore import compare, rank, score
from ranscore.ranking import Ranking

EXAMPLES = Path(__file__).parents[2] / "examples"
LONG = " ".join(["a system with a name that is far too long for one line"] * 4)
HOSTILE = "=1+1 <script>|&$_%"


@pytest.fixture(scope="module")
def evaluations() -> tuple[Evaluation, Evaluation]:
    first, second = (
        score(predictions=EXAMPLES / f"{name}.csv", references=EXAMPLES / "references.csv", card=SystemCard(title))
        for name, title in (("predictions", LONG), ("other", HOSTILE))
    )
    return first, second


@pytest.fixture(scope="module")
def comparison(evaluations: tuple[Evaluation, Evaluation]) -> Comparison:
    return compare(first=evaluations[0], second=evaluations[1], draws=100)


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    systems = dict.fromkeys((LONG, HOSTILE, *"abcd"), EXAMPLES / "other.csv")
    return rank(systems=systems, references=EXAMPLES / "references.csv", metrics=["ran-score"])


@pytest.fixture
def shown(evaluations: tuple[Evaluation, Evaluation], comparison: Comparison, ranking: Ranking) -> dict[str, Presented]:
    return {"evaluation": evaluations[0], "comparison": comparison, "ranking": ranking}


def test_repr_is_shorter_than_300_characters_everywhere(shown: dict[str, Presented], evaluations: tuple[Evaluation, Evaluation]) -> None:
    first = evaluations[0]
    longest = replace(first.record, cohort=replace(first.record.cohort, name=LONG))
    made = shown["ranking"]
    assert isinstance(made, Ranking)
    parts = (first.sides.references[0], first.rows[0], first.record.metrics[0], made.board, made.snapshot, made.tests)
    cohort = from_table(EXAMPLES / "references.csv", access=Access.OPEN)
    for item in (*shown.values(), *(one.table() for one in shown.values()), evaluations[1], longest, *parts, cohort, first.sides):
        assert len(repr(item)) < 300, repr(item)
    assert "1 " in repr(shown["ranking"]) and "cannot be distinguished" in repr(shown["comparison"])


def test_nothing_that_is_shown_holds_a_report(shown: dict[str, Presented]) -> None:
    references = from_table(EXAMPLES / "references.csv", access=Access.OPEN)
    words = {references.reference(study.id)[:40] for study in references.scored}
    for item in shown.values():
        text = "".join((repr(item), item._repr_html_(), item.to_csv(), item.to_latex(), item.to_frame().to_string()))
        assert len(text) > 1000 and not any(word in text for word in words)


class Tags(HTMLParser):
    """Every tag of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)


def test_every_form_is_escaped_for_its_reader(shown: dict[str, Presented]) -> None:
    for item in (shown["comparison"], shown["ranking"]):
        tags = Tags()
        tags.feed(item._repr_html_())
        assert "table" in tags.seen and "script" not in tags.seen
        cells = [cell for row in csv.reader(io.StringIO(item.to_csv())) for cell in row]
        assert any(HOSTILE in cell for cell in cells)
        assert not any(cell.startswith(("=", "@")) for cell in cells[len(item.table().header) :])
        latex = item.to_latex()
        assert r"\textless{}script\textgreater{}\textbar{}\&\$\_\%" in latex and "<" not in latex and "|" not in latex
        assert latex.count(r"\begin{") == latex.count(r"\end{") and r"\label{tab:" in latex


def test_the_frames_hold_the_numbers_of_the_record(shown: dict[str, Presented], evaluations: tuple[Evaluation, Evaluation]) -> None:
    frame = evaluations[0].to_frame()
    for result, (_, row) in zip(evaluations[0].record.metrics, frame.iterrows(), strict=True):
        assert (row["metric"], row["score"], (row["low"], row["high"])) == (result.name, result.value, result.interval)
    findings = evaluations[0].findings().to_frame()
    assert findings["F1"].mean() == pytest.approx(evaluations[0].record.metrics[0].value) and len(findings) == 21
    differences = shown["comparison"].to_frame()
    assert (differences[HOSTILE] + differences["difference"]).to_list() == pytest.approx(differences[LONG].to_list())
    ranks = shown["ranking"].to_frame()
    assert ranks["rank"].notna().sum() == 6 and set(ranks["kind"]) == {"system", "floor", "ceiling"}


def test_a_number_is_printed_with_three_digits_and_kept_with_all() -> None:
    table = ResultTable(name="t", caption="c", header=("a", "b"), rows=((1 / 3, None), (2, "x")))
    assert table.to_csv() == "a,b\n0.3333333333333333,\n2,x\n"
    assert table.cells() == [["0.333", ""], ["2", "x"]]
    assert r"\begin{tabular}{rl}" in table.to_latex()


def test_a_plot_draws_every_point_or_names_the_package(shown: dict[str, Presented]) -> None:
    class Axes:
        """What is drawn, as matplotlib would be told."""

        def __init__(self) -> None:
            self.lines: list[tuple[list[float], list[float]]] = []
            self.names: list[str] = []

        def plot(self, across: list[float], up: list[float], **_: object) -> None:
            self.lines.append((across, up))

        def set_yticks(self, at: range, names: list[str]) -> None:
            self.names = names

        def invert_yaxis(self) -> None: ...

        def set_title(self, title: str, **_: object) -> None: ...

    for item in shown.values():
        axes = item.plot(Axes())
        drawn = [(low, high, dot[0]) for ((low, high), _), (dot, _) in zip(axes.lines[::2], axes.lines[1::2], strict=True)]
        assert drawn == [(point.low, point.high, point.value) for point in item.points()]
        assert len(axes.names) == len(drawn) > 5 and all(low <= value <= high for low, high, value in drawn)
    try:
        import matplotlib
    except ModuleNotFoundError:
        with pytest.raises(UnavailableError, match=r"matplotlib, which is not installed\. Run `pip install '.*\[plot\]'`"):
            shown["ranking"].plot()
    else:
        matplotlib.use("agg")
        assert shown["ranking"].plot().get_title()


def test_two_cohorts_are_refused_with_what_differs(evaluations: tuple[Evaluation, Evaluation]) -> None:
    opened = score(predictions=EXAMPLES / "other.csv", references=EXAMPLES / "references.csv", access="open", metrics=["ran-score"])
    with pytest.raises(UsageError, match="access credentialed and open; score both with --open, or both without"):
        compare(first=evaluations[0], second=opened)
    changed = {item.study: item.text for item in opened.sides.references}
    changed[next(iter(changed))] += " Changed."
    other = score(predictions=EXAMPLES / "other.csv", references=changed, access="open", metrics=["ran-score"])
    with pytest.raises(UsageError, match="the words of their references, are not the same"):
        compare(first=opened, second=other)
