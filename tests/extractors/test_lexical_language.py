"""Which languages are read, two in one text, and letters that only look like letters."""

from __future__ import annotations

import pytest

from harness.extractors.lexical import Lexical
from harness.extractors.lexical.characters import plain
from harness.findings import RAN_21
from harness.types import ReportStatus

LEXICAL = Lexical()


def present(text: str) -> set[str]:
    labels = LEXICAL.label(text)
    assert labels.report is ReportStatus.OK
    return {finding for finding, value in zip(RAN_21, labels.values, strict=True) if value}


@pytest.mark.parametrize(
    "text",
    [
        "Pas de pneumothorax.",
        "Pneumothorax droit.",
        "Cardiomégalie modérée.",
        "Ingen pleuravätska.",
        "Förstorat hjärta.",
        "Cord de dimensiuni normale.",
        "Fără leziuni pleuro-pulmonare.",
        "Pulmones clari, cor normale.",
        "Fractura costae dextrae.",
        "Versamento pleurico destro.",
        "Geen pleuravocht.",
        "Kein Pneumothorax.",
        "Sin derrame.",
        "Serce powiększone.",
        "Jantung membesar.",
        "両肺野清明、心拡大無。",
        "気胸無。",
        "肺野異常陰影無",
        "قلب متضخم",
    ],
)
def test_a_short_text_in_another_language_is_unsupported(text: str) -> None:
    assert LEXICAL.label(text).report is ReportStatus.UNSUPPORTED


@pytest.mark.parametrize(
    "text", ["No pneumothorax.", "Clear lungs", "ET tube in situ.", "De novo opacity in the right base.", "無氣胸。", "两肺清晰。"]
)
def test_a_short_text_of_ours_is_read(text: str) -> None:
    assert LEXICAL.label(text).report is ReportStatus.OK


def test_both_languages_of_a_text_are_read() -> None:
    assert present("Hyperinflated lungs.\n心影增大。") == {"Emphysema", "Cardiomegaly", "Enlarged Cardiomediastinum"}
    assert present("双肺清晰。 Small right pleural effusion.") == {"Pleural Effusion"}
    assert present("无 pneumothorax，右侧 pleural effusion。") == {"Pleural Effusion"}
    assert present("No 气胸.") == {"No Finding"}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Small e\ufb00usion.", "Pleural Effusion"),
        ("Pneumo\u00adthorax.", "Pneumothorax"),
        ("Small left pl\u0435ur\u0430l effusi\u043en.", "Pleural Effusion"),
        ("Ｃａｒｄｉｏｍｅｇａｌｙ.", "Cardiomegaly"),
        ("Cardio\u200bmegaly.", "Cardiomegaly"),
        ("Atelectas\u0131s.", "Atelectasis"),
        ("e\u0301dema of both lungs, alveolar edema", "Edema"),
    ],
)
def test_letters_are_what_they_look_like_and_the_evidence_is_where_they_are(text: str, finding: str) -> None:
    labels = LEXICAL.label(text)
    assert finding in present(text)
    start, end = labels.evidence[RAN_21.index(finding)][0]
    assert plain(text[start:end])[0].strip(".").lower() in plain(text)[0].lower()
    assert 0 <= start < end <= len(text)


def test_plain_text_keeps_the_place_of_every_character() -> None:
    made, places = plain("A\u00ad\ufb01b")
    assert made == "Afib" and list(places or ()) == [0, 2, 2, 3, 4]
    assert plain("plain") == ("plain", None)
    assert plain("Сердце не увеличено.")[0] == "Сердце не увеличено."
