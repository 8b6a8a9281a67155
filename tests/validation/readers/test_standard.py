"""The rule of the paper on 300 x 6, the standard's digest, and whoever looks early."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import InputError, RefusedError
from harness.findings import RAN_21
from harness.formats import label_files
from harness.types import Access, Section, Status
from tests.validation.readers.conftest import Made
from validation.readers import copies, draw, folder, questions, rule, standard
from validation.readers.check import check
from validation.readers.rule import Decision, decide
from validation.readers.sheets import Reply, Sheet
from validation.readers.study import CohortRef, Draw, Item, ReadingStudy, Showing

READERS = tuple(f"reader-{number}" for number in range(1, 7))
FINDINGS = [name for name in RAN_21 if name != "No Finding"]


def oracle(votes: list[int | None]) -> tuple[int | None, str]:
    """Four of six, written down case by case."""
    ones, zeros, unsure, none = (votes.count(value) for value in (1, 0, -1, None))
    if ones >= 4:
        return 1, ""
    if zeros >= 4:
        return 0, ""
    if unsure >= 4:
        return -1, ""
    if max(ones, zeros, unsure) + none >= 4:
        return None, "missing"
    return None, "tie" if ones == zeros and unsure == 0 else "spread"


def test_every_vote_of_six_readers_is_decided_as_written_down() -> None:
    for votes in combinations_with_replacement((1, 0, -1, None), 6):
        assert decide(votes, 4) == Decision(*oracle(list(votes))), votes
    assert decide((1, 1, 1, 0, 0, 0), 4) == Decision(None, "tie")
    assert decide((-1,) * 4 + (1, 0), 4) == Decision(-1)
    assert decide((1, 1, 1, 0, 0, -1), 4) == Decision(None, "spread")
    assert decide((1, 1, 1, None, 0, 0), 4) == Decision(None, "missing")
    assert decide((1, 1, 1, 1, 1, 0), 6) == Decision(None, "spread"), "unanimity asked for"


def big_study(items: int = 300) -> ReadingStudy:
    """Three hundred reports, six readers, no text behind them."""
    names = [f"{number:03d}" for number in range(items)]
    return ReadingStudy(
        form=questions.form("findings"),
        cohort=CohortRef(name="none", digest="0" * 64, section=Section.BOTH, access=Access.OPEN, language="en"),
        draw=Draw(how="random", part="test", of=items, seed="1"),
        salt="00" * 32,
        items=tuple(Item(id=name, study=f"s{name}", patient=f"p{int(name) // 2}", text="0" * 32) for name in names),
        orders={reader: tuple(Showing(one.item) for one in draw.order(names, reader, 0, "1")) for reader in READERS},
        at_least=4,
    )


STUDY = big_study()


def sheets_of(study: ReadingStudy, seed: int, holes: float, absent: int) -> dict[str, Sheet]:
    """Random answers: ties, uncertain majorities, open questions, readers without a sheet."""
    rng = np.random.default_rng(seed)
    lean = rng.choice([1, 0, -1], size=(len(study.items), len(FINDINGS)), p=[0.3, 0.5, 0.2])
    place = {item.id: number for number, item in enumerate(study.items)}
    made = {}
    for reader in READERS[: len(READERS) - absent]:
        noise = rng.choice([1, 0, -1], size=lean.shape)
        said = np.where(rng.random(lean.shape) < 0.5, lean, noise)
        open_ = rng.random(lean.shape) < holes
        replies = {}
        for at, shown in enumerate(study.orders[reader], 1):
            row = place[shown.item]
            replies[at] = Reply({name: int(said[row, column]) for column, name in enumerate(FINDINGS) if not open_[row, column]})
        made[reader] = Sheet(study=study.digest, reader=reader, replies=replies, attested=True, number=1)
    return made


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.02, 0.3]), st.integers(0, 3), st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_papers_rule_on_300_by_6_whatever_the_order(seed: int, holes: float, absent: int, luck: object) -> None:
    counting = sheets_of(STUDY, seed, holes, absent)
    settled = standard.settle(STUDY, counting, 0)
    votes = {item.id: {name: [None] * 6 for name in FINDINGS} for item in STUDY.items}  # type: dict[str, dict[str, list[int | None]]]
    for number, reader in enumerate(READERS):
        for at, shown in enumerate(STUDY.orders[reader], 1):
            reply = counting[reader].replies.get(at) if reader in counting else None
            for name in FINDINGS:
                votes[shown.item][name][number] = reply.values.get(name) if reply else None  # type: ignore[assignment]
    expected = {item.study: [oracle(votes[item.id][name]) for name in FINDINGS] for item in STUDY.items}
    lines = settled.table.splitlines()
    header = lines[0].split(",")
    for line in lines[1:]:
        cells = dict(zip(header, line.split(","), strict=True))
        found = [cells[name] for name in FINDINGS]
        assert found == ["" if value is None else str(value) for value, _ in expected[cells["study_id"]]]
    causes = Counter(
        (name, cause or "uncertain")
        for row in expected.values()
        for name, (value, cause) in zip(FINDINGS, row, strict=True)
        if value in (None, -1)
    )
    assert {(name, cause): count for name, own in settled.data["undecided"].items() for cause, count in own.items()} == causes
    # Another order of sheets, of the items, and of the answers inside a sheet.
    shuffled = list(counting.items())
    luck.shuffle(shuffled)  # type: ignore[attr-defined]
    turned = replace(STUDY, items=tuple(reversed(STUDY.items)))
    again = {reader: replace(sheet, replies=dict(reversed(list(sheet.replies.items())))) for reader, sheet in shuffled}
    other = standard.settle(turned, again, 0)
    assert other.digest == settled.digest and other.table == settled.table


def test_one_answer_changes_the_digest_and_so_does_an_early_look() -> None:
    counting = sheets_of(STUDY, 1, 0.0, 0)
    one = standard.settle(STUDY, counting, 0).digest
    sheet = counting["reader-1"]
    value = 1 - abs(int(sheet.replies[1].values["Edema"]))
    other = replace(sheet, replies={**sheet.replies, 1: Reply({**sheet.replies[1].values, "Edema": value})})
    assert standard.settle(STUDY, {**counting, "reader-1": other}, 0).digest != one
    assert standard.settle(STUDY, counting, 1).digest != one


def test_labels_are_a_label_file_and_no_finding_follows_the_rule(made: Made) -> None:
    made.hand_in()
    standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0))
    labels = label_files.read(made.folder.path / "labels.csv")
    assert set(labels) == {item.study for item in made.study.items}
    for item in labels.values():
        decisions = list(zip(item.values, item.statuses, strict=True))
        assert decisions[RAN_21.index("No Finding")] == (label_files.no_finding(decisions), Status.OK)
    assert standard.labels_of(made.folder.path) == labels
    right = sum(
        value == truth for name, item in labels.items() for value, truth in zip(item.values, made.cohort.labels[name].values, strict=True)
    )
    assert right / (21 * len(labels)) > 0.97, "six good readers find what is true by construction"


def test_nobody_sees_agreement_while_a_sheet_is_open_unless_it_is_noted_for_ever(made: Made) -> None:
    made.hand_in(0, 1, 2, 3, 4)
    counting = made.folder.counting()
    with pytest.raises(RefusedError, match="1 of 6 sheets are open \\(reader-6\\)"):
        standard.guard(made.folder, made.study, counting, False, "now")
    assert made.folder.looks() == 0
    assert standard.guard(made.folder, made.study, counting, True, "now") == ("reader-6",)
    made.hand_in(5)
    assert standard.guard(made.folder, made.study, made.folder.counting(), False, "now") == ()
    settled = standard.settle(made.study, made.folder.counting(), made.folder.looks())
    assert settled.data["looks"] == 1 and settled.data["open"] == []
    assert json.loads((made.folder.path / "looks" / "0001.json").read_text())["open"] == ["reader-6"]


def test_a_settled_standard_is_never_settled_again_under_its_name(made: Made) -> None:
    made.hand_in()
    assert standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0)) is True
    before = (made.folder.path / "standard.json").read_bytes()
    assert standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0)) is False
    made.hand_in(2, seed=9)
    corrected = standard.settle(made.study, made.folder.counting(), 0)
    with pytest.raises(RefusedError, match="--as NAME"):
        standard.write(made.folder, corrected)
    assert (made.folder.path / "standard.json").read_bytes() == before
    other = copies.of(made.folder, folder.place("corrected"))
    assert standard.write(other, corrected) is True
    assert standard.load(other.path)["study"] == standard.load(made.folder.path)["study"]
    assert standard.load(other.path)["digest"] != standard.load(made.folder.path)["digest"]
    with pytest.raises(RefusedError, match="already"):
        copies.of(made.folder, other)


def goods(made: Made) -> dict[str, bool | None]:
    from harness.config.home import home
    from harness.records.store import Store

    return {item.what: item.good for item in check(made.folder, Store(home() / "store"))}


def test_check_finds_whatever_was_changed(made: Made) -> None:
    made.hand_in()
    standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0))
    assert set(goods(made).values()) == {True}
    path = made.folder.path

    def tampered(name: str, old: str, new: str) -> dict[str, bool | None]:
        file = path / name
        kept = file.read_bytes()
        changed = kept.decode().replace(old, new, 1)
        assert changed.encode() != kept
        file.write_text(changed)
        found = goods(made)
        file.write_bytes(kept)
        return found

    assert tampered("study.json", '"at_least": 4', '"at_least": 5') == {"study": False}
    assert tampered("sheets/reader-3.001.json", '"attested": true', '"attested": false')["sheets"] is False
    assert tampered("standard.json", '"looks": 0', '"looks": 1')["standard"] is False
    assert tampered("standard.json", '"few": ', '"few":  ')["agreement"] is True, "white space is nothing"
    number = json.loads((path / "standard.json").read_text())["agreement"]["overall"]["measures"]["ac1"][0]
    assert tampered("standard.json", repr(number), repr(number + 0.01))["agreement"] is False
    assert tampered("labels.csv", ",0,", ",1,")["labels.csv"] is False
    (path / "sheets" / "reader-2.001.json").unlink()
    assert goods(made)["standard"] is False


def test_later_hand_ins_do_not_change_a_standard_and_are_named(made: Made) -> None:
    made.hand_in()
    standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0))
    made.hand_in(1, seed=4)
    found = goods(made)
    assert found["standard"] is True and found["later submissions"] is None


def test_an_unsettled_or_damaged_standard_says_so(made: Made) -> None:
    with pytest.raises(InputError, match="not settled"):
        standard.load(made.folder.path)
    (made.folder.path / "standard.json").write_text("{}")
    with pytest.raises(InputError, match="not a standard"):
        standard.load(made.folder.path)


def test_the_first_showing_counts_and_the_second_is_for_agreement_with_oneself() -> None:
    made = replace(STUDY, orders={reader: draw.order([item.id for item in STUDY.items], reader, 20, "1") for reader in READERS})
    replies = {at: Reply(dict.fromkeys(FINDINGS, 1 if at in made.first_showings("reader-1").values() else 0)) for at in range(1, 321)}
    counting = {"reader-1": Sheet(study=made.digest, reader="reader-1", replies=replies, attested=True, number=1)}
    found = rule.answers(made, counting)
    assert all(row[0] == 1 and row[1:] == (None,) * 5 for row in found[0].first)
    own = [(item, value) for item, reader, value in found[0].again if reader == 0]
    assert len(own) == 20 and all(value == 0 for _, value in own)


def test_a_pair_counts_for_the_same_side_however_it_was_shown() -> None:
    form = questions.form("pairs")
    items = tuple(
        Item(id=f"{number}", study=f"s{number}", patient=f"p{number}", text="", system="r", system_name="r") for number in range(3)
    )
    orders = {
        "reader-1": (Showing("0"), Showing("1"), Showing("2")),
        "reader-2": (Showing("0", True), Showing("1", True), Showing("2", True)),
    }
    study = replace(STUDY, form=form, items=items, orders=orders, at_least=2)
    seen = {"only-a:significant": 2, "comparison-b:insignificant": 1}
    other = {"only-b:significant": 2, "comparison-a:insignificant": 1}
    zero = dict.fromkeys((question.id for question in form.questions), 0)
    counting = {
        reader: Sheet(study=study.digest, reader=reader, replies={at: Reply(zero | own) for at in (1, 2, 3)}, attested=True)
        for reader, own in (("reader-1", seen), ("reader-2", other))
    }
    answers = {one.question.id: one.first for one in rule.answers(study, counting)}
    assert answers["only-a:significant"] == ((2, 2),) * 3
    assert answers["comparison-b:insignificant"] == ((1, 1),) * 3
    assert answers["only-b:significant"] == ((0, 0),) * 3
    settled = standard.settle(study, counting, 0)
    assert settled.table.splitlines()[1].startswith("s0,r,2,2,")
