"""What readers submit: kept append-only, the last counts, and nothing strange gets in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import InputError
from harness.types import Json
from tests.validation.readers.conftest import Made
from validation.readers import sheets, simulated
from validation.readers.sheets import Reply, Sheet


def saved(made: Made, reader: str = "reader-1", **change: Any) -> Json:
    """What a page saves."""
    rest = dict.fromkeys(("Fracture", "Edema"), 0)
    answers = {"1": {"values": {"Atelectasis": 1, **rest}, "rest": ["Edema", "Fracture"], "seconds": 12.5}}
    return {
        "format": "ranscore-readers-sheet",
        "schema": 1,
        "study": made.study.digest,
        "reader": reader,
        "attested": False,
        "source": "file",
        "answers": answers,
    } | change


def parse(made: Made, data: object) -> Sheet:
    return sheets.read(json.dumps(data).encode(), made.study, "x.json")


def test_an_unfinished_sheet_is_taken_and_is_open(made: Made) -> None:
    sheet = parse(made, saved(made))
    assert sheet.replies[1] == Reply({"Atelectasis": 1, "Fracture": 0, "Edema": 0}, ("Edema", "Fracture"), 12.5)
    assert sheet.done(made.study) == 0 and not sheet.closed(made.study)


def test_the_last_hand_in_counts_and_all_stay(made: Made) -> None:
    first, again = parse(made, saved(made)), parse(made, saved(made, answers={}))
    assert made.folder.take(first) == (replace(first, number=1), True)
    assert made.folder.take(first)[1] is False, "the same content is not kept twice"
    assert made.folder.take(again)[0].number == 2
    assert made.folder.take(first)[0].number == 3, "going back is a hand-in of its own"
    assert [sheet.number for sheet in made.folder.hand_ins()] == [1, 2, 3]
    assert made.folder.counting()["reader-1"].number == 3
    assert len({sheet.digest for sheet in made.folder.hand_ins()}) == 3


def test_a_kept_hand_in_that_was_changed_is_seen(made: Made) -> None:
    made.folder.take(parse(made, saved(made)))
    path = made.folder.path / "sheets" / "reader-1.001.json"
    path.write_text(path.read_text().replace('"Atelectasis": 1', '"Atelectasis": 0'))
    with pytest.raises(InputError, match="not what its digest says"):
        made.folder.hand_ins()


def test_a_sheet_is_closed_only_when_it_is_whole_and_attested(made: Made) -> None:
    whole = simulated.sheet(made.study, "reader-1", made.cohort.labels, simulated.SIX[0], np.random.default_rng(0))
    assert whole.closed(made.study)
    assert not replace(whole, attested=False).closed(made.study)
    assert replace(whole, attested=False, source="import").closed(made.study)
    assert not replace(whole, replies={at: reply for at, reply in whole.replies.items() if at > 1}).closed(made.study)


@pytest.mark.parametrize(
    "change",
    [
        {"study": "0" * 64},
        {"reader": "reader-7"},
        {"reader": ["reader-1"]},
        {"answers": []},
        {"answers": {"0": {"values": {}}}},
        {"answers": {"99": {"values": {}}}},
        {"answers": {"01": {"values": {}}}},
        {"answers": {"1": {"values": {"Edema": 2}}}},
        {"answers": {"1": {"values": {"Edema": "1"}}}},
        {"answers": {"1": {"values": {"Edema": True}}}},
        {"answers": {"1": {"values": {"Edema": 1.5}}}},
        {"answers": {"1": {"values": {"No Finding": 1}}}},
        {"answers": {"1": {"values": {"<script>": 1}}}},
        {"answers": {"1": {"values": {"Edema": 1}, "rest": ["Edema"]}}},
        {"answers": {"1": {"values": {}, "rest": [["Edema"]]}}},
        {"answers": {"1": {"values": {}, "seconds": -1}}},
        {"answers": {"1": {"values": {}, "seconds": 1e300}}},
        {"answers": {"1": 5}},
        {"format": "something"},
        {"schema": 2},
    ],
)
def test_what_is_no_sheet_of_this_study_is_refused_without_quoting_it(made: Made, change: Json) -> None:
    with pytest.raises(InputError) as error:
        parse(made, saved(made, **change))
    assert all(problem.file == "x.json" and problem.remedy for problem in error.value.problems)
    assert "script" not in str(error.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"null", b"\xff\xfe", b"[" * 100_000, b'"x"', b"{}"])
def test_files_that_are_no_sheets_at_all_are_refused(made: Made, data: bytes) -> None:
    with pytest.raises(InputError, match="it is not a sheet"):
        sheets.read(data, made.study, "x.json")


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["1", "values", "rest", "seconds", "Edema"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answers_whatever_end_in_another_error(made: Made, answers: Any) -> None:
    try:
        sheet = parse(made, saved(made, answers=answers))
    except InputError:
        return
    for reply in sheet.replies.values():
        assert all(value in (1, 0, -1) for value in reply.values.values())


def test_every_problem_of_a_sheet_comes_at_once(made: Made) -> None:
    answers = {"1": {"values": {"Edema": 5}}, "2": {"values": {"Edema": 6}}, "77": {}}
    with pytest.raises(InputError) as error:
        parse(made, saved(made, answers=answers, study="x"))
    assert len(error.value.problems) == 4
