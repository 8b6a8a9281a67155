"""A second generator of reports with planted things: other names, other sentences, other forms of dates, numbers and addresses.

It was written after the rules and before they were changed for it, so that its first result is a fair one (`docs/evidence/deidentification.md`). Half of the
names are put together from syllables, and so are in nobody's list.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

from tests.privacy.planting import Planted, Report

GIVEN = ["Nguyet", "Thanh", "Subbu", "Farrukh", "Aylin", "Björk", "Zsófia", "Seong-min", "Ji-ho", "Kaveh", "Leilani", "Mbali", "Nkechi", "Oisín", "Paavo", "Radha", "Sefton", "Tariq", "Umberto", "Vashti", "Wojtek", "Xochitl", "Yusra", "Zainab", "Adaeze", "Beauregard", "Celestine", "Dashiell"]  # fmt: skip
FAMILY = ["Subramaniam", "Nguyen", "al-Khatib", "García", "Yıldız", "Þórsson", "Adeyemi", "Kim", "Xu", "Ito", "Oh", "de-la-Cruz", "Szabó", "O'Dwyer", "McFadyen", "Featherstonehaugh", "Wójcik", "Haile", "Tran", "Boateng", "Ivanova", "van-Dijk", "Chowdhury", "Lefèvre", "Mokoena", "Guðmundsdóttir", "Park", "Rao"]  # fmt: skip
STARTS, MIDDLES, ENDS = ["Br", "Tr", "Kl", "Vor", "Hes", "Mun", "Dag", "Pell", "Quor", "Sib"], ["a", "o", "i", "e", "ast", "end", "urv"], ["nick", "rand", "vesk", "lund", "mire", "pard", "thal", "gost", "wen", "ott"]  # fmt: skip
HOUSES = ["Bellweather", "Ashgrove", "Tindall", "St.-Crispin's", "Harrow-Valley", "Whitestone", "Saint-Odile", "Kestrel-Point"]
TOWNS = ["Dunmorrow", "Ashby-Falls", "Port-Ellery", "Vellington", "New-Tarrow", "Crookhaven", "Lissadell"]
STREETS = ["Partridge", "Quarry-Hill", "Fennimore", "Magnolia", "Dr.-Martin-Luther-King", "Elm"]
HAN_FAMILY = [*"尤涂蔺查佘岑项柯申喻霍裴阮翟鲍", "夏侯", "尉迟", "慕容"]
HAN_GIVEN = ["沐宸", "一诺", "若曦", "德厚", "招娣", "援朝", "栩然", "晚舟", "铁柱", "予", "帆", "瑾", "煜", "倩", "荷"]
HAN_OTHER = ["阿依古丽·买买提", "巴特尔", "扎西顿珠"]
HAN_HOUSE = ["青岭县", "桐安镇中心", "岚川", "明德", "惠康", "解放军第九〇二", "云溪区妇幼", "天佑"]
HAN_TOWN = ["青岭县桐安镇", "岚川市云溪区", "宁溪省岚川市", "柳渡镇石桥村"]
ENGLISH = [
    "Cardiac silhouette at the upper limits of normal.",
    "Bibasilar opacities, left greater than right, likely atelectasis.",
    "Dobhoff tube courses below the diaphragm.",
    "No acute osseous abnormality; degenerative change at T9-T10.",
    "Right PICC terminates in the lower SVC.",
    "A 1.4 x 0.8 cm opacity projects over rib 6.",
    "Hickman catheter unchanged. Westermark sign is absent.",
]
CHINESE = [
    "双肺纹理增粗。",
    "纵隔居中,主动脉迂曲。",
    "右侧肋膈角变钝。",
    "PICC管头端位于上腔静脉下段。",
    "第7-9后肋陈旧骨折。",
    "左肺门影增浓,请结合临床。",
    "肺动脉段平直,心胸比约0.52。",
]
Sentence = tuple[str, list[Planted]]


def family(rng: random.Random) -> str:
    """A surname, every second one invented."""
    if rng.random() < 0.5:
        return rng.choice(STARTS) + rng.choice(MIDDLES) + rng.choice(ENDS)
    return rng.choice(FAMILY).replace("de-la-", "de la ").replace("van-", "van ")


def written(rng: random.Random, day: date) -> str:
    """A whole date."""
    month = day.strftime("%B")
    nth = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    forms: list[Callable[[], str]] = [
        lambda: f"{month} {day.day}{nth}, {day.year}",
        lambda: f"{day.day}{nth} {month} {day.year}",
        lambda: f"the {day.day}{nth} of {month}, {day.year}".removeprefix("the "),
        lambda: f"{day.day:02d}{month[:3].upper()}{day.year}",
        lambda: f"{day:%Y%m%d}",
        lambda: f"{day.month:02d}-{day.day:02d}-{day.year % 100:02d}",
        lambda: f"{day.month}.{day.day}.{day.year % 100:02d}",
        lambda: f"{month[:3]} {day.day} {day.year}",
        lambda: f"{day.year}/{day.month:02d}/{day.day:02d}",
        lambda: f"{month} {day.day} of {day.year}",
    ]
    return rng.choice(forms)()


def loose(rng: random.Random, day: date) -> str:
    """A date that lacks its day or its year."""
    month = day.strftime("%B")
    return rng.choice([f"{month} {day.year}", f"{month[:3]} '{day.year % 100:02d}", f"{month} {day.day}", f"{day.month}/{day.year}"])


def english(rng: random.Random, day: date) -> tuple[str, tuple[Planted, ...]]:
    """Two to four sentences with planted things among clinical ones."""
    first, last, other = rng.choice(GIVEN), family(rng), family(rng)
    digits, house, town = str(rng.randint(10**6, 10**8)), rng.choice(HOUSES).replace("-", " "), rng.choice(TOWNS).replace("-", " ")
    whole, part, street = written(rng, day), loose(rng, day), rng.choice(STREETS).replace("-", " ")
    name, one, two = f"{first} {last}", [Planted("name", last)], [Planted("name", last), Planted("name", other)]
    both, number, phone = [Planted("name", name)], str(rng.randint(11, 8800)), f"617 555 {rng.randint(1000, 9999)}"
    dated, partly, lives = [Planted("date", whole, day)], [Planted("date", part)], [Planted("place", house)]
    chest = f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"
    sentences: list[Sentence] = [
        (f"Critical result read back by {name} at 1430 hours.", both),
        (f"Wet read provided by the on-call resident, {name}.", both),
        (f"Images reviewed together with {name} (PGY-3).", both),
        (f"I, {name}, have personally reviewed the images.", both),
        (f"This 58-year-old man, {name}, presents with cough.", both),
        (f"RE: {name}.", both),
        (f"Findings texted to {last} via Vocera.", one),
        (f"Dr. {last}'s office was informed.", one),
        (f"As requested by Drs. {last} and {other}.", two),
        (f"Referring: {last}, {first}.", [Planted("name", last), Planted("name", first)]),
        (f"Per Dr {last} the tube was advanced.", one),
        (f"Telephoned to {first} {last[0]}. in the ICU.", [Planted("name", first)]),
        (f"DISCUSSED WITH DR. {last.upper()} BY PHONE.", [Planted("name", last.upper())]),
        (f"discussed with dr {last.lower()} by phone.", [Planted("name", last.lower())]),
        (f"Ms. {first} {last} fell at home.", both),
        (f"Fellow: {first[0]}.{last[0]}. {last}; Attending: {other}.", two),
        (f"Acc#{digits}.", [Planted("number", digits)]),
        (f"(MRN {digits}).", [Planted("number", digits)]),
        (f"Case no. S-{day.year % 100:02d}-{digits[:5]}.", [Planted("number", f"S-{day.year % 100:02d}-{digits[:5]}")]),
        (f"Hosp No. K{digits[:6]}.", [Planted("number", f"K{digits[:6]}")]),
        (f"Account {chest}.", [Planted("number", chest)]),
        (f"Study UID 1.2.840.113619.{digits}.7.", [Planted("number", f"1.2.840.113619.{digits}.7")]),
        (f"Cell {phone}.", [Planted("contact", phone)]),
        (f"Reach me at +1 (617) 555-{digits[:4]}.", [Planted("contact", f"+1 (617) 555-{digits[:4]}")]),
        (f"Pager #{digits[:5]}.", [Planted("contact", digits[:5])]),
        (f"Ext. {digits[:4]} for questions.", [Planted("contact", digits[:4])]),
        (f"Seen at {house} Community Hospital.", lives),
        (f"Outside CT from {house} Regional was reviewed.", lives),
        (f"Resides in {town}.", [Planted("place", town)]),
        (f"Transferred from {town} ED.", [Planted("place", town)]),
        (f"Address: {number} {street} Ct., Apt 4B.", [Planted("place", f"{number} {street}")]),
        (f"Comparison: CT chest {whole}.", dated),
        (f"Radiograph performed {whole} at 10:22.", dated),
        (f"Since {whole}, the effusion has grown.", dated),
        (f"Study date: {whole}.", dated),
        (f"Known nodule since {part}.", partly),
        (f"Compared with {part}.", partly),
    ]
    return _mixed(rng, sentences, ENGLISH, " ")


def han_written(rng: random.Random, day: date) -> str:
    """A whole date."""
    return rng.choice(
        [
            f"{day.year}年{day.month:02d}月{day.day:02d}日",
            f"{day.year % 100:02d}年{day.month}月{day.day}日",
            f"{day.year}.{day.month}.{day.day}",
            f"{day.year}/{day.month:02d}/{day.day:02d}",
            f"{day:%Y%m%d}",
            f"{day.year} 年 {day.month} 月 {day.day} 日",
        ]
    )


def chinese(rng: random.Random, day: date) -> tuple[str, tuple[Planted, ...]]:
    """Two to four sentences with planted things among clinical ones."""
    own_family, other_family = rng.choice(HAN_FAMILY), rng.choice(HAN_FAMILY)
    name, other = own_family + rng.choice(HAN_GIVEN), other_family + rng.choice(HAN_GIVEN)
    digits, house, town = str(rng.randint(10**6, 10**8)), rng.choice(HAN_HOUSE), rng.choice(HAN_TOWN)
    whole, part = (
        han_written(rng, day),
        rng.choice([f"{day.year}年{day.month}月", f"{day.month}月{day.day}日", f"{day.year}-{day.month:02d}"]),
    )
    one, two, own = [Planted("name", name)], [Planted("name", name), Planted("name", other)], rng.choice(HAN_OTHER)
    dated, partly = [Planted("date", whole, day)], [Planted("date", part)]
    sentences: list[Sentence] = [
        (f"经{name}主治医师审签。", one),
        (f"{name}(女,63岁)。", one),
        (f"姓名 {name} 性别 女 年龄 63岁。", one),
        (f"书写:{name} 审核:{other}。", two),
        (f"患者之子{name}陪同就诊。", one),
        (f"送检医生:{name}。", one),
        (f"由{name}、{other}共同阅片。", two),
        (f"报告人 {name}。", one),
        (f"住院医师{name}记录。", one),
        (f"患者{own},因咳嗽来院。", [Planted("name", own)]),
        (f"电话告知临床{own_family}医生。", [Planted("name", own_family)]),
        (f"已通知{name}护士。", one),
        (f"主诊:{name}教授。", one),
        (f"ID号:{digits}。", [Planted("number", digits)]),
        (f"登记号 {digits}。", [Planted("number", digits)]),
        (f"病历号({digits})。", [Planted("number", digits)]),
        (f"放射号X{digits}。", [Planted("number", f"X{digits}")]),
        (f"医保卡号是{digits}。", [Planted("number", digits)]),
        (f"手机138 1234 {digits[:4]}。", [Planted("contact", f"138 1234 {digits[:4]}")]),
        (f"电话 8721-{digits[:4]}。", [Planted("contact", f"8721-{digits[:4]}")]),
        (f"分机{digits[:4]}。", [Planted("contact", digits[:4])]),
        (f"于{house}医院行胸部CT。", [Planted("place", house)]),
        (f"{house}医院外院片对比。", [Planted("place", house)]),
        (f"籍贯{town}。", [Planted("place", town)]),
        (f"现住{town}幸福路{digits[:2]}号。", [Planted("place", town)]),
        (f"检查时间:{whole}。", dated),
        (f"对照{whole}片。", dated),
        (f"{whole}外院CT示结节。", dated),
        (f"自{part}起咳嗽。", partly),
        (f"{part}曾行手术。", partly),
    ]
    return _mixed(rng, sentences, CHINESE, "")


def _mixed(rng: random.Random, sentences: list[Sentence], clinical: list[str], gap: str) -> tuple[str, tuple[Planted, ...]]:
    plain: list[Sentence] = [(sentence, []) for sentence in rng.sample(clinical, rng.randint(2, 4))]
    every = rng.sample(sentences, rng.randint(2, 4)) + plain
    rng.shuffle(every)
    return gap.join(sentence for sentence, _ in every), tuple(item for _, planted in every for item in planted)


def reports(count: int = 300, seed: int = 0) -> list[Report]:
    """Half English, half Chinese; two to four texts a patient."""
    rng = random.Random(seed)
    made: list[Report] = []
    for number in range(count):
        language, patient = ("en", "zh")[number % 2], f"Q{5310 + 3 * number}"
        day = date(2004, 2, 1) + timedelta(days=rng.randint(0, 5500))
        for _ in range(rng.randint(2, 4)):
            day += timedelta(days=rng.randint(1, 200))
            text, planted = (english if language == "en" else chinese)(rng, day)
            made.append(Report(f"RX{81000 + len(made)}", patient, language, text, planted))
    return made[:count]
