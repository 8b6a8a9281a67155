"""Which names a system may have: honest ones in many languages pass, look-alikes and roles do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from harness.types import SystemCard
from submissions.names import skeleton
from submissions.system_card import problems

TODAY = date(2026, 12, 1)
HONEST = (
    "Zürich-CXR", "中山报告", "R2Gen+", "β-VAE CXR", "Łódź RRG", "Château-Rayons", "Ångström X-ray", "Đại học Y Hà Nội", "São Paulo RRG", "Müller-Netz",
    "Þór", "İstanbul Akciğer", "Škoda RTG", "Čeština-RRG", "Żółw", "Õnne", "Kārlis", "Рентген-Отчёт", "Звіт-РГ", "Ακτινογραφία", "μNet", "ΔNet", "π-CXR",
    "胸部X光报告", "CXR报告", "报告生成GPT", "日本語レポート", "肺野レポートAI", "ひまわり", "한글 판독", "흉부CXR", "تقرير الصدر", "גלים", "छाती रिपोर्ट", "รายงาน ทรวงอก",
    "নেট", "ქართული", "Հայերեն", "አማርኛ", "R2Gen", "R2GenRL", "M2Trans", "MAIRA 3", "CheXagent-2", "RaDialog v1.5", "LLaVA-Rad", "CXR-LLaVA (7B)", "GPT-4o, 3-shot",
    "Reference-free RRG", "RadiologistGPT", "Human-in-the-loop RRG", "Normalizing Flow CXR", "Floorplan", "OracleNet", "TranScore", "Iran CXR", "Neighbor-aware RRG",
    "ConstantQ", "3D-CXR", "A", "X 1", "C++ baseline RRG", "Truthful RRG", "Label-free CXR", "O'Hara's system", "Model_17 (ours)",
)  # fmt: skip
SAME = (  # each with a name that a reader takes for it
    ("Birch", "Віrсh"), ("Birch", "Bіrch"), ("Birch", "ΒIRCH"), ("Birch", "8irch"), ("Birch", "B1rch"), ("Birch", "Blrch"), ("Birch", "B i r c h"),
    ("Birch", "B-i-r-c-h"), ("Birch", "Bırch"), ("Birch", "Bírch"), ("Birch", "Bi\u0335rch"), ("Birch", "Ｂｉｒｃｈ"), ("Birch", "𝐁𝐢𝐫𝐜𝐡"), ("Birch", "ⒷⒾⓇⒸⒽ"),
    ("Birch", "Ᏼirch"), ("Birch", "Birch."), ("Birch", "birch'"), ("Birch", "B!rch"), ("Birch", "Birch™"[:5] + "*"), ("Birch", "Bırсһ"),
    ("Maple", "Rnaple"), ("Maple", "Ｍaple"), ("Maple", "Мaрle"), ("Maple", "M@ple"), ("Maple", "M4ple"), ("Maple", "Map1e"), ("Maple", "MapIe"), ("Maple", "Ꮇaple"),
    ("Willow", "VVillow"), ("Willow", "WiIIow"), ("Willow", "W1ll0w"), ("Willow", "Wıllоw"), ("Willow", "Wi11ow"), ("Willow", "Ԝillow"),
    ("Cedar", "Ceclar"), ("Cedar", "Сеdar"), ("Cedar", "C3dar"), ("Cedar", "Ϲedar"), ("Cedar", "Cеԁаr"), ("Cedar", "¢edar".replace("¢", "ⅽ")),
    ("Oak 10", "Oak IO"), ("Oak 10", "Oak-lO"), ("Oak 10", "0ak 10"), ("Oak 10", "Оаk 10"), ("Oak 10", "OAK  10"), ("Oak 10", "Oak１０"),
    ("Spruce", "5pruce"), ("Spruce", "$pruce"), ("Spruce", "Ѕpruce"), ("Spruce", "Sprucе"), ("Spruce", "Ꮪpruce"), ("Spruce", "Sⲣruce"),
    ("Fir", "ſir"), ("Fir", "Ϝir"), ("Fir", "Ḟir"), ("Fir", "F\u0323ir"), ("Elm", "Elrn"), ("Elm", "3lm"), ("Elm", "ℰℓ𝓂"), ("Elm", "ΕLΜ"), ("Elm", "ЕLМ"),
    ("Рентген", "Pентген"), ("中山", "⼭中"[::-1]), ("Tale", "7ale"), ("Tale", "Таle"), ("Gum", "9um"), ("Gum", "Gυm"), ("Zelkova", "2elkova"), ("Zelkova", "Ζelkova"),
)  # fmt: skip
ROLES = (
    "References", "reference", "REFERENCE REPORTS", "Rеferences", "R3ferences", "Referenсеs", "R e f e r e n c e s", "ref.er.en.ces", "references v2", "The references",
    "Original reference", "References (n=590)", "Reference text 3", "refeгences".replace("г", "r"), "Ｒeferences", "Referenzen", "les références", "参考报告", "Ceiling",
    "cei1ing", "c e i l i n g", "CEILING 100", "The Ceiling", "Ceiling (references)", "сеiling", "Floor", "fl00r", "F.L.O.O.R", "floor-2", "Constant floor", "Normal floor",
    "Constant normal", "constant-normal v3", "Cоnstant normal", "c0nstant norma1", "ConstantNormal", "Always normal", "Normal", "No finding", "no findings report",
    "All findings", "all-findings", "AllFindings2", "A11 findings", "Every finding", "Shuffled references", "shuffled", "Random reference", "Nearest neighbour",
    "nearest-neighbor", "Nearest Neighbors (k=1)", "Radiologist", "radiologists", "radiologist v2", "Radiologist A", "Radiologist #3", "Human radiologist", "Expert radiologist",
    "Radiologist panel", "Rad1olog1st", "Radiоlogist", "Radiologıst", "Raԁiologist", "Racliologist", "Stanford radiologist", "Radiologist (mean of 3)", "HumanRadiologist",
    "Dr. Radiologist", "Radiologe", "Radióloga", "рентгенолог", "放射科医生", "放射線科医", "Human", "human reader", "Human performance", "Human level 2", "Humans", "Doctor",
    "Senior physician", "Gold standard", "Ground truth", "ground-truth labels", "GroundTruth", "Upper bound", "Oracle", "Official", "Official baseline", "offic1al results",
    "Offісial", "Official Model v1", "官方", "Ran Score", "RanScore", "RAN-SCORE", "ranscore 2", "RanScore official", "Ran Score baseline", "Ran Scоre", "R@n Score", "Ran5core",
    "Ran Scor3", "RanScoreNet", "The Ran Score team", "by RanScore", "MyRanScore", "Leaderboard", "Leaderboard admin", "Moderator", "Board moderator", "Administrators",
    "anonymous", "anonymous 3fa9c1", "Organizers", "Maintainer", "Withdrawn", "hidden",
)  # fmt: skip
UNFIT = (
    "\u3164", "\u115f\u1160", "\u2800\u2800", "\u200b", "Birch\u3164", "Bir\u200bch", "Bi\u00adrch", "Birch\u2060", "Bir\u034fch", "Birch\ufe0f", "Birch\U000e0041", "Bir\u180bch",
    "Bir\uffa0ch", "Birch\u202e", "\ufeffBirch", "Birch\u2800", "Birch\u00a0", "Birch\u3000X", "B" + "\u0300\u0301\u0302" + "irch", "Birch" + "\u0336" * 20, "e" + "\u0489" * 3,
    "МedKit", "Medkіt", "Ꮇedkit", "Meдkit", "Μedkit", "medκit", "Меdkit", "АBC", "XУZ", "Нet", "CXR\u0416", "αΑbc", "漢Жa", "Reportе", "...", "+", "-", "", "  ",
    "\u0301", "<b>Birch</b>", "Birch\n", "Birch`", "x" * 81, "\ufdfa" * 10,
)  # fmt: skip


def objections(name: str) -> list[str]:
    return [str(problem) for problem in problems(SystemCard(name), TODAY)]


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_name_passes(name: str) -> None:
    assert objections(name) == []


def test_honest_names_are_told_apart() -> None:
    others = (
        *HONEST,
        "R2Gen",
        "R2Gen++",
        "Model 3",
        "Model E",
        "Model 4",
        "Model A",
        "Net-16",
        "Net-18",
        "Net-6",
        "Net-8",
        "किरण",
        "करण",
        "Birch v1",
        "Birch v2",
    )
    found = {name: skeleton(name) for name in dict.fromkeys(others)}
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(("name", "other"), SAME)
def test_what_looks_alike_has_one_skeleton(name: str, other: str) -> None:
    assert name != other and skeleton(name) == skeleton(other)


@pytest.mark.parametrize("name", ROLES)
def test_no_system_has_the_name_of_a_role_or_of_the_board(name: str) -> None:
    assert any("a floor, a ceiling, a person's role or the board itself" in line for line in objections(name))


@pytest.mark.parametrize("name", UNFIT)
def test_what_cannot_be_seen_or_read_is_no_name(name: str) -> None:
    assert objections(name)


def test_the_other_fields_hold_nothing_invisible_either_and_are_not_the_board() -> None:
    card = SystemCard("Birch", version="1\u3164", organisation="Ran Score", link="https://example.org/\u2800")
    text = "\n".join(str(problem) for problem in problems(card, TODAY))
    assert (
        "the version holds a character that shows nothing" in text
        and "the link holds" in text
        and "the organisation is the board itself" in text
    )
    assert list(problems(replace(card, version="1", organisation="Universität Zürich", link="https://example.org"), TODAY)) == []


# From confusables.txt of Unicode Technical Standard 39, version 16: the character, and what it is confusable with.
STANDARD = {
    0x0430: "a", 0x0251: "a", 0x03C1: "p", 0x0501: "d", 0x04BB: "h", 0x0456: "i", 0x03BF: "o", 0x0585: "o", 0x1D0F: "o", 0x0455: "s", 0x0445: "x", 0x0443: "y",
    0x13AA: "A", 0x0405: "S", 0x0392: "B", 0x0421: "C", 0x216D: "C", 0x1D672: "C", 0x0130: "I", 0x017F: "f", 0x212A: "K", 0x2126: "Ω", 0x0448: "ш", 0x30ED: "口",
    0x118E3: "rn", 0x006D: "rn", 0x0031: "l", 0x0030: "O", 0x07C0: "O", 0x0417: "3",
}  # fmt: skip


@pytest.mark.parametrize(("code", "looks"), STANDARD.items())
def test_the_table_is_that_of_the_standard(code: int, looks: str) -> None:
    assert skeleton(f"x{chr(code)}x") == skeleton(f"x{looks}x")


def test_the_time_does_not_grow_faster_than_the_name() -> None:
    for part in ("a ", "references", "RanScore", "\ufdfa", "v1.", "!", "9"):
        assert len(objections(part * 100_000)) <= 2
