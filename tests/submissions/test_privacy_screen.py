"""The privacy screen: what it notices, and that no text makes it, or any other expression that reads a stranger's text, slow."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.storage.report_lines import canonical
from harness.types import Section
from submissions import privacy_screen
from submissions.board_folder import BoardFolder
from submissions.intake import Upload, look
from submissions.policy import Policy
from submissions.sandbox import check
from tests.submissions.pumps import LIMIT, grows, patterns, slowest

FOLDERS = (
    "submissions",
    "leaderboard",
    "harness/formats",
    "harness/metrics",
)
READ = [(name, pattern) for folder in FOLDERS for name, pattern in patterns(folder)]
REPEATED = (
    "T4-", "1.1", "1-", "a.", "a-", "a+", "NAME ", "Name\t", "\n", " ", ": ", "病历号", "mrn--", "accession no ", "a@", "a@b.", "@.", "1/1/", "Jan ",
    "1. May ", "2019年 ", "(555) ", "555-", "13", "signed by ", "Dr. ", "姓名:", "x ", "\u3000", "\u00a0:", "#", "no#", "AAA1 ",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Compared with 3/9/18.", "a date"),
        ("Compared with 1998-07-30.", "a date"),
        ("seen on 7.12.2021", "a date"),
        ("since Sept. 3rd, 2015", "a date"),
        ("since 14 October,  2009", "a date"),
        ("复查于2022 年 3 月", "a date"),
        ("MRN\t: A77", "a record number"),
        ("Medical record number 991", "a record number"),
        ("4471234", "a record number"),
        ("078-05-1120", "a record number"),
        ("住院号：B20219", "a record number"),
        ("d/w Dr. Abara", "a name"),
        ("Mrs\nOkafor", "a name"),
        ("Electronically signed by : Ada Lovelace", "a name"),
        ("Patient's Name:Ada Lovelace", "a name"),
        ("患者：李雷", "a name"),
        ("ask ada.l+x@mail.clinic.example now", "an address or a number to call"),
        ("ADA@CLINIC.EXAMPLE", "an address or a number to call"),
        ("(212) 555-0199", "an address or a number to call"),
        ("电话13912345678", "an address or a number to call"),
    ],
)
def test_it_notices(text: str, kind: str) -> None:
    found = privacy_screen.warnings({"s1": f"No effusion. {text} Stable."}, "a.csv")
    assert [problem.what for problem in found] == [f"the report holds what looks like {kind}"]


@pytest.mark.parametrize(
    "text",
    [
        "Cardiomediastinal silhouette is normal. T4-T5 compression of 1.5 x 2.0 cm, unchanged.",
        "PICC tip at T4. 3-4 mm nodules in the 5th-6th interspace, 12/14 ribs seen, grade 1-2.",
        "Dr. was informed. Discussed with the team at the time of reading. Name withheld.",
        "右肺上叶见结节，大小约12mm×8mm，建议复查。",
    ],
)
def test_it_passes_what_names_nobody(text: str) -> None:
    assert privacy_screen.warnings({"s1": text}, "a.csv") == ()


def test_the_way_in_which_growth_is_measured_tells_a_square_from_a_line() -> None:
    assert slowest(re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}"))[0] > LIMIT
    assert slowest(re.compile(r"(?m)^\s*(?:system|user)\s*:"))[0] > LIMIT
    assert slowest(re.compile(r"name\s*:?\s+[a-z]+\s+[a-z]+"))[0] > LIMIT
    assert slowest(re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[a-z]{2}"))[0] < LIMIT


@pytest.mark.parametrize("pattern", [pattern for _, pattern in READ], ids=[name for name, _ in READ])
def test_no_expression_that_reads_a_strangers_text_is_slower_than_its_length(pattern: re.Pattern[str]) -> None:
    growth, text = slowest(pattern)
    assert growth < LIMIT, f"{growth:.1f} on {text!r}"


@pytest.mark.parametrize("part", REPEATED)
def test_the_screen_takes_time_in_proportion_to_the_text(part: str) -> None:
    assert grows(lambda text: privacy_screen.warnings({"s1": text}, "a.csv"), lambda length: (part * length)[:length], 20_000) < LIMIT


def full(part: str) -> dict[str, str]:
    """As many reports as an upload may hold, each as long as a report may be."""
    each = (part * 20_000)[:19_980]
    return {f"s{number:05d}": each for number in range(7_900_000 // (len(canonical({"s00000": each}))))}


@pytest.mark.parametrize("part", ["1-", "a+ "])
def test_a_full_upload_of_the_worst_text_ends_within_the_limit_of_the_child(part: str) -> None:
    reports = full(part)
    began = os.times()
    found = check(canonical(reports), "a.jsonl", list(reports), Section.BOTH, Policy(), screened=True)
    used = os.times()
    assert found.problems == () and len(found.reports) == len(reports)
    # Seconds of processor time of the child; reading such a file alone takes some of them.
    assert used.children_user - began.children_user < Policy().seconds


def test_the_screen_is_cut_off_in_the_child(board_folder: BoardFolder, hand: Callable[..., Upload]) -> None:
    """Were an expression to go wrong all the same, the child's limit ends it: the reader of the file gets an answer."""
    found = look(replace(board_folder, policy=Policy(seconds=0.01)), hand())
    assert any("more than 0.01 seconds of processor time" in problem.what for problem in found.problems)


def test_while_a_file_is_screened_other_threads_go_on(board_folder: BoardFolder, hand: Callable[..., Upload]) -> None:
    ids = [study.id for study in board_folder.manifest("synthetic").studies if study.part == "test"]
    content = canonical(dict.fromkeys(ids, ("T4-" * 20_000)[:19_980]))
    thread = threading.Thread(target=lambda: look(board_folder, hand(content=content)))
    began = time.process_time()
    thread.start()
    thread.join()
    screened = time.process_time()
    privacy_screen.warnings({"s1": ("T4-" * 20_000)[:19_980]}, "a.csv")
    one = time.process_time() - screened
    # In this process nothing was screened: that alone would have taken it longer than everything that it did.
    assert screened - began < 40 * one + 0.5
