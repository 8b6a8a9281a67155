"""Rewards for training: what `ranscore.reward` gives to a trainer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.rewards import HACKS, table
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError, UsageError
from harness.extractors import extractor
from harness.findings import RAN_21
from harness.types import Labels, ReportStatus, Status
from ranscore.reward import reward_function

SICK = "The heart is enlarged. There is pulmonary edema. No pneumothorax."
CLEAR = "The lungs are clear. The heart is normal in size."


def test_a_report_earns_the_f1_of_its_findings() -> None:
    pay = reward_function()
    # Enlarged heart: Cardiomegaly and Enlarged Cardiomediastinum; with Edema that makes 3 true findings. 2 of 3 named: 2*2/(2*2+1).
    assert pay(["Cardiomegaly.", SICK, CLEAR, ""], [SICK] * 4) == pytest.approx([0.8, 1.0, 0.0, 0.0])


def test_rewards_are_the_decisions_of_the_extractor_counted_anew() -> None:
    cohort = build(40, seed=11)
    references = [cohort.reference(study.id) for study in cohort.scored]
    written = references[7:] + references[:7]
    by = extractor("lexical")
    expected = []
    for one, other in zip(by.extract(references), by.extract(written), strict=True):
        truth, said = ({name for name, value in zip(RAN_21, item.values, strict=True) if value == 1} for item in (one, other))
        expected.append(2 * len(truth & said) / (len(truth) + len(said)))
    assert reward_function()(written, references) == pytest.approx(expected)
    assert 0 < np.mean(expected) < 1


def test_messages_are_scored_like_texts_and_other_columns_are_not_read() -> None:
    pay = reward_function()
    chat = [[{"role": "assistant", "content": "thinking"}, {"role": "assistant", "content": SICK}]]
    parts = [[{"role": "assistant", "content": [{"type": "text", "text": "The heart is enlarged. "}, {"type": "text", "text": "Edema."}]}]]
    told = pay(completions=chat + parts, references=[SICK, SICK], prompts=["", ""], trainer_state=None, image=[None, None])
    assert told == pay([SICK, SICK], [SICK, SICK]) == [1.0, 1.0]
    assert pay.__name__ == "ran-score/micro-f1"


def test_a_row_without_a_reference_stays_none_in_its_place() -> None:
    assert reward_function()([SICK, SICK, SICK, CLEAR], [None, SICK, "", "Please upload the film."]) == [None, 1.0, None, None]
    assert reward_function("rouge-l")([SICK, SICK], [None, SICK]) == [None, 1.0]


class HalfDown:
    """An extractor whose server fails for every text with the word `down`."""

    name, vocabulary, digest, official = "half-down", "ran-21", "0", False

    def __init__(self) -> None:
        self.asked: list[str] = []

    def extract(self, texts: Sequence[str]) -> list[Labels]:
        self.asked += texts
        inner = extractor("lexical")
        failed = Labels((None,) * len(RAN_21), (Status.FAILED,) * len(RAN_21))
        return [failed if "down" in text else inner.extract([text])[0] for text in texts]


def test_a_failed_server_teaches_nothing_and_is_asked_again() -> None:
    by = HalfDown()
    pay = reward_function(extractor=by)
    assert pay(["down", SICK, SICK], [SICK, SICK, "down"]) == [None, 1.0, None]
    assert sorted(by.asked) == sorted([SICK, "down", "down"])
    pay([SICK], [SICK])
    pay([SICK], ["down"])
    assert by.asked.count("down") == 3  # a failure is not remembered


def test_any_metric_gives_a_reward_on_its_own_scale() -> None:
    references, written = [SICK, CLEAR], [CLEAR, CLEAR]
    for name in ("rouge-l", "bleu", "cider"):
        low, high = reward_function(name, corpus=[SICK, CLEAR, "Small effusion."])(written, references)
        assert low is not None and high is not None and low < high, name


def test_balanced_pays_more_for_what_is_rare() -> None:
    corpus = [CLEAR] * 50 + [SICK] * 10 + ["There is a rib fracture. There is pulmonary edema."]
    both = "There is a rib fracture. There is pulmonary edema."
    rare, common = reward_function(corpus=corpus, balanced=True)(["There is a rib fracture.", "Pulmonary edema."], [both, both])
    assert rare is not None and common is not None and rare > 0.8 > common
    assert reward_function()(["There is a rib fracture.", "Pulmonary edema."], [both, both]) == pytest.approx([2 / 3, 2 / 3])


def test_what_is_wrong_is_named_without_a_word_of_a_report() -> None:
    with pytest.raises(InputError, match="1 references and 2 completions"):
        reward_function()([SICK, SICK], [SICK])
    with pytest.raises(InputError, match="completion 1 is neither") as error:
        reward_function()([SICK, {"report": SICK}], [SICK, SICK])
    assert "heart" not in str(error.value)
    with pytest.raises(UsageError, match="no part 'macro'"):
        reward_function(part="macro")
    with pytest.raises(UsageError, match="corpus"):
        reward_function(balanced=True)
    pay = reward_function()
    pay([SICK], [SICK])
    assert "heart" not in repr(pay)


def test_the_gallery_of_hacks_pays_what_the_page_says() -> None:
    rows = table(build(120, seed=5))
    paid = {name: dict(zip(("ran", "balanced", "rouge", "bleu"), values, strict=True)) for name, values in rows.items()}
    assert set(paid) == set(HACKS)
    assert paid["the reference"]["ran"] == 1.0 and paid["nothing"]["ran"] == 0.0
    assert paid["left and right exchanged"]["ran"] == 1.0  # sides are none of the 21 findings
    assert paid["every finding, hedged"]["ran"] < paid["every finding"]["ran"] + 0.05
    assert paid["always normal"]["ran"] < 0.35  # the share of normal studies
    assert paid["frequent words, no sentence"]["rouge"] > paid["frequent words, no sentence"]["balanced"]
    assert all(
        values["ran"] < 0.5 for name, values in paid.items() if name in ("every finding", "the next patient's report", "all negated")
    )


def test_an_unreadable_completion_earns_nothing() -> None:
    assert extractor("lexical").extract(["Please upload the film."])[0].report is ReportStatus.EMPTY
    assert reward_function()(["Please upload the film.", "\x00" * 50, "edema " * 5000], [SICK] * 3)[:2] == [0.0, 0.0]
