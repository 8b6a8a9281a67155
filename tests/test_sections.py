"""The one reader of sections: on 63 layouts of our own no sentence is lost and no context is read, by whatever way a report comes."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cohorts.mimic.sections import parse
from harness.cohorts.table import from_table
from harness.extractors.lexical import Lexical
from harness.findings import RAN_21
from harness.formats import sections
from harness.labelling import corpus
from harness.scoring import scorer
from harness.types import Access, Labels, Section, Span
from leaderboard.page import try_it

FILE = Path(__file__).parent / "extractors" / "data" / "layouts.txt"
LEXICAL = Lexical()
SAID = {"Cardiomegaly", "Enlarged Cardiomediastinum", "Pleural Effusion"}
"""What every layout asserts."""


def layout(block: str) -> tuple[str, str, list[Span], list[Span]]:
    """Name, text, and where it has to be read and where not."""
    name, _, body = block.rstrip("\n").partition("\n")
    text, start = "", 0
    spans: dict[str, list[Span]] = {"+": [], "-": []}
    for piece in re.split(r"(\[[+-]|[+-]\])", body):
        if piece in ("[+", "[-"):
            start = len(text)
        elif piece in ("+]", "-]"):
            spans[piece[0]].append((start, len(text)))
        else:
            text += piece
    return name, text.replace("\\r", "\r"), spans["+"], spans["-"]


LAYOUTS = [layout(block) for block in FILE.read_text(encoding="utf-8").split("=====\n")]


def asserted(labels: Labels) -> set[str]:
    return {finding for finding, value in zip(RAN_21, labels.values, strict=True) if value == 1}


def test_there_are_sixty_layouts_of_each_kind_of_house() -> None:
    names = [name.partition(":")[0] for name, *_ in LAYOUTS]
    assert len(LAYOUTS) >= 60
    assert {"MIMIC", "Open-i", "European", "Generated", "Chinese"} <= set(names)
    assert sum(len(context) for *_, context in LAYOUTS) > 70


@pytest.mark.parametrize("name", [name for name, *_ in LAYOUTS])
def test_no_sentence_is_lost_and_no_context_is_read(name: str) -> None:
    _, text, said, context = next(item for item in LAYOUTS if item[0] == name)
    read = sections.read(text)
    lost = [text[start:end] for start, end in said if not any(first <= start and end <= last for first, last in read)]
    seen = [text[start:end] for start, end in context if any(max(first, start) < min(last, end) for first, last in read)]
    assert (lost, seen) == ([], [])


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\n\n"])
def test_every_layout_gives_the_same_decisions_with_any_line_ends(ends: str) -> None:
    changed = {name: LEXICAL.label(text.replace("\n", ends) if ends != "\n\n" else text.replace("\n", " \n")) for name, text, *_ in LAYOUTS}
    assert {name: asserted(labels) for name, labels in changed.items() if asserted(labels) != SAID} == {}


def test_a_cohorts_parser_keeps_what_the_extractor_reads() -> None:
    """Sections that a MIMIC cohort holds say what the whole report says."""
    wrong = {}
    for name, text, *_ in LAYOUTS:
        found = parse(text).text
        kept = LEXICAL.label(f"{found.findings}\n{found.impression}")
        if asserted(kept) != asserted(LEXICAL.label(text)):
            wrong[name] = asserted(kept)
    assert wrong == {}


def test_all_ways_in_give_the_same_decisions(tmp_path: Path) -> None:
    """`label`, `--references`, a table cohort, a reports file against it, and the page."""
    rows = [(f"s{index:02}", text) for index, (_, text, *_) in enumerate(LAYOUTS)]
    path = tmp_path / "reports.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("study_id", "report"), *rows])
    lines = tmp_path / "reports.jsonl"
    lines.write_text("".join(json.dumps({"study_id": name, "report": text}) + "\n" for name, text in rows), encoding="utf-8")
    expected = {name: LEXICAL.label(text).values for name, text in rows}
    corpus.label(path, tmp_path / "labels.csv", Lexical(), corpus.LocalLabeller(Lexical()))
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as stream:
        labelled = {row["study_id"]: tuple(int(row[finding]) for finding in RAN_21) for row in csv.DictReader(stream)}
    assert labelled == expected
    made = scorer.score(
        predictions=lines, references=from_table(path, section=Section.BOTH, access=Access.OPEN), metrics=["ran-score"]
    ).sides
    for side in (made.references, made.candidates):
        assert {item.study: item.labels["ran-21"].values for item in side} == expected
    for name, text in rows[::7]:
        shown = re.findall(r"<li>([^<]+)</li>", try_it.read(text, "").split('class="rs-chips"')[1].split("</ul>")[0])
        assert set(shown) == {finding for finding, value in zip(RAN_21, expected[name], strict=True) if value}


@given(st.text(alphabet=st.sampled_from("INDICATION: FINDINGS:\n. Heart large_-诊断：【】\r"), max_size=200) | st.text(max_size=80))
def test_parts_of_any_text_are_in_order_and_inside_it(text: str) -> None:
    at = 0
    for part in sections.parts(text):
        assert at <= part.start <= part.end <= len(text)
        at = part.end


def test_text_without_any_heading_is_findings() -> None:
    text = "The lungs are clear.\n\nNo effusion."
    assert sections.parts(text) == [sections.Part("untitled", 0, len(text))]
