"""Drawing, ordering, freezing; and that a sheet holds nothing of the study but its own reports."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from statistics import mean, pstdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cohorts.synthetic.labels import label_matrix, perturb
from harness.errors import InputError, RefusedError, StoreError, UsageError
from harness.findings import NO_FINDING, RAN_21
from harness.records.store import Store
from tests.validation.readers.conftest import Made, cohort_of, study_of
from validation.readers import create, draw, folder, page, questions, study, texts
from validation.readers.questions import KINDS, LANGUAGES
from validation.readers.study import ReadingStudy


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 60), min_size=1, max_size=21), st.integers(0, 400))
@settings(max_examples=200, deadline=None)
def test_shares_are_exact_and_fair(sizes: dict[str, int], count: int) -> None:
    taken = draw.shares(sizes, count)
    assert sum(taken.values()) == min(count, sum(sizes.values()))
    for name, number in taken.items():
        assert 0 <= number <= sizes[name]
        assert number == sizes[name] or number >= max(taken.values()) - 1, "nobody gets less than another while there is some left"


def test_none_gets_twice_as_many_as_a_finding() -> None:
    assert draw.shares({"none": 100, "a": 100, "b": 100}, 40) == {"none": 20, "a": 10, "b": 10}


def test_weights_stand_for_the_whole_part() -> None:
    seen = {f"s{number}": ["rare"] if number < 3 else ["common"] if number < 40 else [] for number in range(100)}
    strata = draw.strata(seen)
    assert Counter(strata.values()) == {"rare": 3, "common": 37, "none": 60}
    drawn = draw.by_rarity(strata, 23, "seed")
    assert len(drawn) == 23 and sum(drawn.values()) == pytest.approx(100)
    assert {drawn[name] for name in drawn if strata[name] == "rare"} == {1.0}


def test_a_draw_by_rarity_estimates_the_cohort_without_bias_and_closer_than_a_random_one() -> None:
    """Counts of a rare finding weighted back to the cohort: the mean over draws is the truth, the spread is smaller."""
    matrix, _ = label_matrix(1500, 5)
    asserted = perturb(matrix, 0.9, 0.1, np.random.default_rng(1))
    rare = RAN_21.index("Pleural Other")
    names = [f"s{number:04d}" for number in range(1500)]
    seen = {name: [RAN_21[at] for at in row.nonzero()[0] if RAN_21[at] != NO_FINDING] for name, row in zip(names, asserted, strict=True)}
    strata, truth = draw.strata(seen), int(matrix[:, rare].sum())
    place = {name: number for number, name in enumerate(names)}

    def estimates(weights: list[dict[str, float]]) -> list[float]:
        return [sum(weight for name, weight in drawn.items() if matrix[place[name], rare]) for drawn in weights]

    by_rarity = estimates([draw.by_rarity(strata, 150, str(seed)) for seed in range(200)])
    at_random = estimates([draw.at_random(names, 150, str(seed)) for seed in range(200)])
    assert abs(mean(by_rarity) - truth) < 3 * pstdev(by_rarity) / 200**0.5
    assert pstdev(by_rarity) < 0.5 * pstdev(at_random)


def test_every_reader_has_an_order_of_her_own_and_repeats_are_far_apart(made: Made) -> None:
    orders = [tuple(shown.item for shown in made.study.orders[reader]) for reader in made.study.readers]
    assert len(set(orders)) == 6
    big = [str(number) for number in range(90)]
    shown = [one.item for one in draw.order(big, "reader-1", 20, "seed")]
    assert set(shown) == set(big) and len(shown) == 110
    twice = [name for name, count in Counter(shown).items() if count == 2]
    assert len(twice) == 20
    assert min(len(shown) - 1 - shown[::-1].index(name) - shown.index(name) for name in twice) >= 30


def test_both_sides_of_a_pair_come_first_about_equally_often() -> None:
    swapped = [one.swapped for one in draw.order([str(number) for number in range(400)], "reader-2", 0, "seed", swaps=True)]
    assert 150 < sum(swapped) < 250


def test_a_study_comes_back_from_its_file_and_any_change_is_seen(made: Made) -> None:
    assert made.folder.study() == made.study
    path = made.folder.path / "study.json"
    whole = json.loads(path.read_text())
    for change in ({"threshold": "0.5"}, {"rule": {"at_least": 5, "of": 6}}, {"with_reference": True}):
        path.write_text(json.dumps(whole | change))
        with pytest.raises(InputError, match="changed after it was frozen"):
            made.folder.study()
    whole["form"]["questions"][0]["help"] += " "
    path.write_text(json.dumps(whole))
    with pytest.raises(InputError, match="changed"):
        made.folder.study()


def test_the_order_of_the_items_does_not_change_the_digest_and_their_content_does(made: Made) -> None:
    turned = replace(made.study, items=tuple(reversed(made.study.items)))
    assert turned.digest == made.study.digest
    other = replace(made.study.items[0], weight=2.0)
    assert replace(made.study, items=(other, *made.study.items[1:])).digest != made.study.digest
    orders = dict(made.study.orders)
    orders["reader-1"] = tuple(reversed(orders["reader-1"]))
    assert replace(made.study, orders=orders).digest != made.study.digest


def test_a_study_is_frozen_once(made: Made) -> None:
    with pytest.raises(RefusedError, match="frozen"):
        made.folder.freeze(made.study)


def test_a_text_that_was_changed_since_is_named_and_no_sheet_is_made(made: Made) -> None:
    store = Store(made.folder.path / "none")
    item = made.study.items[3]
    changed = replace(made.study, items=(*made.study.items[:3], replace(item, text="0" * 32), *made.study.items[4:]))
    with pytest.raises(InputError) as error:
        texts.load(changed, store)
    assert [problem.study for problem in error.value.problems] == [item.study]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"readers": 1}, "2 to 50 readers"),
        ({"items": 0}, "at least 1 item"),
        ({"items": 400}, "fewer than 400"),
        ({"part": "nowhere"}, "no part"),
        ({"at_least": 3}, "a majority of 6 readers is 4 to 6"),
        ({"kind": "pairs"}, "name it with --system"),
        ({"kind": "rating"}, "name each with --system"),
        ({"with_reference": True}, "belongs to --kind rating"),
        ({"repeats": 9}, "at most 4"),
        ({"how": "rare"}, "needs an extractor"),
        ({"listed": ["nobody"]}, "no such study"),
        ({"kind": "essay"}, "no kind of study"),
        ({"language": "fr"}, "sheets are in en or zh"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_says_why(plan: dict[str, object], words: str) -> None:
    cohort = cohort_of(30)
    with pytest.raises((UsageError, InputError), match=words):
        create.study(cohort, create.ReadingPlan(**{"items": 12, **plan}), seed="1", salt="00" * 32)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_asks_the_same_in_both_languages(kind: str, language: str) -> None:
    form, english = questions.form(kind, language), questions.form(kind, "en")
    assert [item.id for item in form.questions] == [item.id for item in english.questions]
    assert [list(item.choices) for item in form.questions] == [list(item.choices) for item in english.questions]
    assert questions.from_json(json.loads(json.dumps(questions.to_json(form)))) == form
    assert all(item.name and item.help for item in form.questions)
    assert questions.words(language)["page"].keys() == questions.words("en")["page"].keys()
    if language == "zh":
        assert form.intro != english.intro and form.questions[0].name != english.questions[0].name


def test_twenty_findings_are_asked_and_no_finding_is_not() -> None:
    names = [item.id for item in questions.form("findings").questions]
    assert names == [name for name in RAN_21 if name != NO_FINDING]


def embedded(document: str) -> dict[str, object]:
    start = document.index('id="data">') + len('id="data">')
    found: dict[str, object] = json.loads(document[start : document.index("</script>", start)])
    return found


def test_a_sheet_holds_her_reports_in_her_order_and_nothing_else_of_the_study() -> None:
    made = study_of(cohort_of(60), how="rare", items=40, decided_by="Delphi, two rounds", threshold="accuracy 0.9")
    for reader in made.study.readers:
        document = page.document(page.of_reader("trial", made.study, reader, made.texts))
        shown = embedded(document)
        assert shown["reports"] == [list(made.texts[one.item]) for one in made.study.orders[reader]]
        assert document.count(json.dumps(shown["reports"], ensure_ascii=False)) == 1
        plain = json.dumps({key: value for key, value in shown.items() if key != "reports"}, ensure_ascii=False)
        for item in made.study.items:
            assert f'"{item.study}"' not in plain and item.patient not in plain and item.text not in plain
        for hidden in ("stratum", "weight", "seed", "lexical", made.study.salt, "Delphi", "accuracy 0.9", "patient"):
            assert hidden not in plain, hidden
        assert not [other for other in made.study.readers if other != reader and other in plain]


def test_a_pair_does_not_tell_which_report_is_the_original(two_systems: ReadingStudy) -> None:
    assert two_systems.kind == "pairs"
    assert len({shown.swapped for order in two_systems.orders.values() for shown in order}) == 2


@pytest.fixture
def two_systems(made: Made) -> ReadingStudy:
    orders = {reader: draw.order([item.id for item in made.study.items], reader, 0, "1", swaps=True) for reader in made.study.readers}
    return replace(made.study, form=questions.form("pairs"), orders=orders)


def test_hostile_text_in_a_report_stays_data() -> None:
    evil = "</script><script>window.pwned=1</script><!-- \u2028 ]]> ${x}"
    made = study_of(cohort_of(30))
    document = page.document(page.of_reader("trial", made.study, "reader-1", dict.fromkeys(made.texts, (evil,))))
    assert evil not in document and document.count("<script") == 2
    assert embedded(document)["reports"] == [[evil]] * len(made.study.orders["reader-1"])


def test_a_name_that_is_no_folder_is_refused() -> None:
    for name in ("../up", "a/b", "", ".hidden", "x" * 100):
        with pytest.raises(UsageError, match="no name for a study"):
            folder.place(name)


def test_a_study_of_a_newer_program_is_refused(made: Made) -> None:
    with pytest.raises(StoreError, match="Update ranscore"):
        study.from_json(study.to_json(made.study) | {"schema": 99})
