"""Reports with planted names, dates, numbers and addresses, in English and Chinese.

The lists here are the tests' own: most of these names, towns and institutions are in none of the rules' lists, and the sentences around
them were written without looking at the rules.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

GIVEN = ["Maeve", "Tobias", "Ingrid", "Lachlan", "Saoirse", "Rupert", "Philippa", "Anselm", "Bronwyn", "Cormac", "Delphine", "Emeka", "Freya", "Gideon", "Hortense", "Imogen", "Jasper", "Kwame", "Leopold", "Mireille", "Nikolai", "Oluwaseun", "Persephone", "Quentin", "Rosalind", "Siobhan", "Thaddeus", "Ulrike", "Vikram", "Wilhelmina", "Xiomara", "Yevgenia", "Zoltan", "James", "Maria", "Susan", "Robert", "Linda"]  # fmt: skip
FAMILY = ["Abernathy", "Blackwood", "Castellanos", "Dubois", "Eriksen", "Fitzgerald", "Goldsmith", "Hollingsworth", "Iyengar", "Jankowski", "Kowalczyk", "Lindqvist", "MacAllister", "Nakamura", "Okonkwo", "Papadopoulos", "Quillfeather", "Rasmussen", "Szymanski", "Thistlethwaite", "Underwood", "Vandermeer", "Whittington", "Yamaguchi", "Zielinski", "O'Shaughnessy", "Smith-Barlow", "Ng", "Petrov", "Svensson"]  # fmt: skip
TOWNS = ["Barrowdale", "Eastmere", "Fairhaven", "Granton", "Hollow", "Creek", "Kilbride", "Larkspur", "Marlow", "Bridge", "Northwick", "Ormsby", "Pelham", "Ridgemont", "Sandgate", "Thornbury"]  # fmt: skip
HOUSES = [
    "Mercy",
    "Riverside",
    "Saint-Brendan",
    "Lakeshore",
    "Pinecrest",
    "Queen-Elizabeth",
    "Bayview",
    "Summit",
    "Holy-Cross",
    "Cedarwood",
]
STREETS = ["Willowbrook", "Chestnut", "Old-Mill", "Harcourt", "Sycamore", "Wellington", "Prospect", "Juniper"]
HAN_FAMILY = [*"王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧", "欧阳", "司马", "诸葛"]
HAN_GIVEN = [
    "子涵",
    "雨桐",
    "建军",
    "秀英",
    "志强",
    "丽华",
    "浩然",
    "梓萱",
    "国庆",
    "桂兰",
    "俊杰",
    "晓燕",
    "海涛",
    "静怡",
    "文博",
    "春梅",
    "磊",
    "敏",
    "娟",
    "涛",
    "洋",
    "艳",
    "勇",
    "杰",
    "强",
    "霞",
]
HAN_HOUSE = ["仁济", "同仁", "协和", "朝阳", "人民", "中心", "红十字", "第一人民", "妇幼保健", "华山"]
HAN_TOWN = [
    ("浙江省", "湖州市", "长兴县"),
    ("四川省", "绵阳市", "涪城区"),
    ("山东省", "临沂市", "兰山区"),
    ("广东省", "揭阳市", "榕城区"),
    ("河南省", "驻马店市", "西平县"),
]
ENGLISH = [
    "The heart is mildly enlarged.",
    "There is a small left pleural effusion with adjacent atelectasis.",
    "No pneumothorax. Lungs are otherwise clear.",
    "A 12 mm nodule is seen in the right upper lobe.",
    "Compression deformities of T4-5 and L1/2 are old.",
    "Swan-Ganz catheter tip in the main pulmonary artery, about 2/3 of its length within the heart.",
    "Kerley B lines are present; findings favor edema.",
    "Endotracheal tube ends 3.5 cm above the carina.",
]
CHINESE = [
    "心影轻度增大。",
    "左侧少量胸腔积液,伴邻近肺不张。",
    "两肺野清晰,未见实变。",
    "右上肺见一约12mm结节影。",
    "双侧肺门区、纵隔区未见异常。",
    "气管插管末端位于隆突上方3.5cm。",
    "胸4-5椎体压缩性骨折,陈旧性。",
    "高密度影,考虑钙化;方向不清。",
]


@dataclass(frozen=True, slots=True)
class Planted:
    """One thing that must not stay in a text."""

    kind: str
    words: str
    """As it stands in the text."""
    day: date | None = None
    """Of a whole date."""


@dataclass(frozen=True, slots=True)
class Report:
    """A text with what was planted into it."""

    id: str
    patient: str
    language: str
    text: str
    planted: tuple[Planted, ...]


def english_date(rng: random.Random, day: date) -> str:
    month = day.strftime("%B")
    forms: list[Callable[[], str]] = [
        lambda: f"{day.month}/{day.day}/{day.year}",
        lambda: f"{day.month:02d}/{day.day:02d}/{day.year}",
        lambda: day.isoformat(),
        lambda: f"{month} {day.day}, {day.year}",
        lambda: f"{day.day} {month[:3]} {day.year}",
        lambda: f"{day.day:02d}-{month[:3].upper()}-{day.year}",
        lambda: f"{month[:3]}. {day.day}, {day.year}",
        lambda: f"{day.month}/{day.day}/{day.year % 100:02d}",
    ]
    return rng.choice(forms)()


def han_date(rng: random.Random, day: date) -> str:
    return rng.choice(
        [
            f"{day.year}年{day.month}月{day.day}日",
            f"{day.year}-{day.month:02d}-{day.day:02d}",
            f"{day.year}/{day.month}/{day.day}",
            f"{day.year}.{day.month:02d}.{day.day:02d}",
        ]
    )


def english(rng: random.Random, day: date) -> tuple[str, tuple[Planted, ...]]:
    """Sentences with two to five planted things among clinical ones."""
    first, last = rng.choice(GIVEN), rng.choice(FAMILY)
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(6, 9)))
    phone = f"{rng.randint(200, 989)}-{rng.randint(200, 989)}-{rng.randint(1000, 9999)}"
    number, street, town = str(rng.randint(1, 9800)), rng.choice(STREETS).replace("-", " "), rng.choice(TOWNS)
    house, written = rng.choice(HOUSES).replace("-", " "), english_date(rng, day)
    sentences: list[tuple[str, list[Planted]]] = [
        (f"Findings were discussed with Dr. {first} {last} at 10:45 AM.", [Planted("name", f"{first} {last}")]),
        (f"Dr. {last} was paged.", [Planted("name", last)]),
        (f"Dictated by: {first} {last}, M.D.", [Planted("name", f"{first} {last}")]),
        (f"Electronically signed by {last}, {first}.", [Planted("name", last), Planted("name", first)]),
        (f"Patient Name: {last.upper()}, {first.upper()}", [Planted("name", last.upper()), Planted("name", first.upper())]),
        (f"{first} {last} RN notified by telephone.", [Planted("name", f"{first} {last}")]),
        (f"Mrs. {last} was unable to stand.", [Planted("name", last)]),
        (f"Attending radiologist: {first[0]}. {last}", [Planted("name", last)]),
        (f"MRN: {digits}.", [Planted("number", digits)]),
        (f"Accession number ACC{digits}", [Planted("number", f"ACC{digits}")]),
        (
            f"Medical record number is {digits[:2]}-{digits[2:4]}-{digits[4:]}",
            [Planted("number", f"{digits[:2]}-{digits[2:4]}-{digits[4:]}")],
        ),
        (f"Please call {phone} with questions.", [Planted("contact", phone)]),
        (
            f"Contact: {first.lower()}.{last.lower().replace(chr(39), '')}@example.net.",
            [Planted("contact", f"{first.lower()}.{last.lower().replace(chr(39), '')}@example.net")],
        ),
        (f"Transferred from {house} Hospital.", [Planted("place", house)]),
        (f"Lives at {number} {street} Road, {town}.", [Planted("place", f"{number} {street}")]),
        (f"Outside films from {house} Medical Center were reviewed.", [Planted("place", house)]),
        (f"Comparison: {written}.", [Planted("date", written, day)]),
        (f"Chest radiograph dated {written} is available.", [Planted("date", written, day)]),
        (f"Compared to the study of {written}, no change.", [Planted("date", written, day)]),
    ]
    return _mixed(rng, sentences, ENGLISH, " ")


def chinese(rng: random.Random, day: date) -> tuple[str, tuple[Planted, ...]]:
    name = rng.choice(HAN_FAMILY) + rng.choice(HAN_GIVEN)
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(6, 9)))
    phone, house = f"1{rng.choice('3578')}{rng.randint(10**8, 10**9 - 1)}", rng.choice(HAN_HOUSE)
    written, town = han_date(rng, day), "".join(rng.choice(HAN_TOWN))
    sentences: list[tuple[str, list[Planted]]] = [
        (f"患者姓名:{name}。", [Planted("name", name)]),
        (f"审核医师:{name}。", [Planted("name", name)]),
        (f"报告医生:{name},", [Planted("name", name)]),
        (f"已与{name}医生电话沟通。", [Planted("name", name)]),
        (f"患者{name},男,因咳嗽就诊。", [Planted("name", name)]),
        (f"申请医师:{name}主任。", [Planted("name", name)]),
        (f"住院号:{digits}。", [Planted("number", digits)]),
        (f"检查号 DR{digits},", [Planted("number", f"DR{digits}")]),
        (f"门诊号为{digits}。", [Planted("number", digits)]),
        (f"联系电话:{phone}。", [Planted("contact", phone)]),
        (f"转自{house}医院。", [Planted("place", house)]),
        (f"住址:{town}长江路{rng.randint(1, 300)}号。", [Planted("place", town)]),
        (f"曾在{house}医院行手术治疗。", [Planted("place", house)]),
        (f"与{written}胸片比较。", [Planted("date", written, day)]),
        (f"{written}复查。", [Planted("date", written, day)]),
        (f"检查日期:{written}。", [Planted("date", written, day)]),
    ]
    return _mixed(rng, sentences, CHINESE, "")


def _mixed(
    rng: random.Random, sentences: list[tuple[str, list[Planted]]], clinical: list[str], gap: str
) -> tuple[str, tuple[Planted, ...]]:
    chosen = rng.sample(sentences, rng.randint(2, 4))
    dated = [item for item in sentences if item[1][0].kind == "date"]
    if not any(item[1][0].kind == "date" for item in chosen):
        chosen.append(rng.choice(dated))
    plain: list[tuple[str, list[Planted]]] = [(sentence, []) for sentence in rng.sample(clinical, rng.randint(2, 4))]
    every = chosen + plain
    rng.shuffle(every)
    return gap.join(sentence for sentence, _ in every), tuple(item for _, planted in every for item in planted)


def reports(count: int = 300, seed: int = 0) -> list[Report]:
    """Half English, half Chinese; two or three texts a patient, each with dates of that patient."""
    rng = random.Random(seed)
    made: list[Report] = []
    number = 0
    while len(made) < count:
        language, patient, number = ("en", "zh")[number % 2], f"P-{48210 + 7 * number}", number + 1
        day = date(2003, 1, 1) + timedelta(days=rng.randint(0, 6000))
        for _ in range(rng.randint(2, 3)):
            day += timedelta(days=rng.randint(1, 400))
            text, planted = (english if language == "en" else chinese)(rng, day)
            made.append(Report(f"CXR-{70000 + len(made)}", patient, language, text, planted))
    return made[:count]
