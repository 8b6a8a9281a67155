"""Words that take the place of others: the same word always gets the same surrogate, decided by a key that stays with its owner."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count

from harness.formats.privacy import dates

_FIRST = [
    "Al",
    "Ar",
    "Bar",
    "Bel",
    "Bran",
    "Cal",
    "Car",
    "Dal",
    "Dar",
    "Ed",
    "El",
    "Far",
    "Fen",
    "Gar",
    "Gil",
    "Hal",
    "Har",
    "Jar",
    "Kel",
    "Ken",
    "Lan",
    "Lin",
    "Mar",
    "Mel",
    "Nor",
    "Or",
    "Pel",
    "Ran",
    "Ros",
    "Sel",
    "Tal",
    "Ter",
    "Val",
    "Wen",
    "Wil",
]
_LAST = [
    "bury",
    "by",
    "combe",
    "den",
    "don",
    "dale",
    "er",
    "field",
    "ford",
    "gate",
    "ham",
    "ley",
    "low",
    "man",
    "mere",
    "ney",
    "over",
    "ridge",
    "sey",
    "stead",
    "ston",
    "ter",
    "ton",
    "vale",
    "ville",
    "well",
    "wick",
    "win",
    "worth",
]
_HAN_FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹"
_HAN_GIVEN = "安邦博晨德恩方光海和宏嘉建杰景静君康乐丽林茂敏明宁平青荣瑞善书思泰天维文熙祥欣秀学雅彦逸永宇远云泽哲正志中"
_HAN_KEPT = "省市区县镇乡村路街道巷弄号楼室栋单元层园里"
_HAN_PLACE = "东西南北青白金银松柳梅云石清明长平安新和春秋江河湖山泉林溪桥"


@dataclass(slots=True)
class Surrogates:
    """Surrogates of one file.

    Args:
        key: Secret; whoever has it can find out what a surrogate stands for.
        avoid: Lower case words of the file: no surrogate is one of them.
    """

    key: bytes = field(repr=False)
    avoid: Collection[str] = field(default=frozenset(), repr=False)
    _given: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _used: set[str] = field(default_factory=set, repr=False)

    def number(self, *parts: str) -> int:
        """A number that depends on the key and the parts alone."""
        return int.from_bytes(hmac.new(self.key, "\0".join(parts).encode(), sha256).digest(), "big")

    def of(self, kind: str, original: str) -> str:
        """The surrogate of some words of a report; a date's is made elsewhere."""
        if kind == "age":
            return "90"
        if kind == "contact" and "@" in original:
            return f"{self._word('contact', original).lower()}@example.org"
        if kind == "contact" and re.match(r"https?://|www\.", original):
            return "https://example.org"
        if any("\u4e00" <= sign <= "\u9fff" for sign in original):
            return self._han(kind, original)
        if kind in {"number", "contact"}:
            return self._shape(original)
        return re.sub(r"[^\W\d_][^\W\d_'’-]*(?:['’-][^\W\d_]+)*|\d+", lambda match: self._part(kind, match[0]), original)

    def code(self, kind: str, original: str) -> str:
        """What takes the place of an id."""
        return f"{kind}{self.number('code', kind, original) % 16**10:010x}"

    def _part(self, kind: str, word: str) -> str:
        if word.isdigit():
            return self._shape(word)
        if len(word) == 1 or word.lower() in {"of", "the", "and", "de", "van", "von", "st", "la", "al"}:
            return word if len(word) > 1 else chr(ord("A") + self.number("initial", word) % 26)
        made = self._word(kind, word.lower())
        return made.upper() if word.isupper() else made

    def _word(self, kind: str, word: str) -> str:
        """An invented word; no two words share one, and none is a word of the file."""
        name = ("word", word)
        if name not in self._given:
            for turn in count():
                luck = self.number("word", word, str(turn))
                made = _FIRST[luck % len(_FIRST)] + _LAST[luck // 64 % len(_LAST)] + ("" if turn < 40 else _LAST[luck // 4096 % len(_LAST)])
                if made.lower() not in self._used and made.lower() not in self.avoid:
                    break
            self._used.add(made.lower())
            self._given[name] = made
        return self._given[name]

    def _shape(self, original: str) -> str:
        """Digits for digits and letters for letters."""
        luck = self.number("shape", original)
        made: list[str] = []
        for sign in original:
            luck, rest = divmod(luck, 26 * 10) if luck > 10**6 else (self.number("more", original, str(len(made))), luck)
            digit = str(rest % 10)
            made.append(
                digit
                if sign.isdigit()
                else chr(ord("A" if sign.isupper() else "a") + rest % 26)
                if sign.isascii() and sign.isalpha()
                else sign
            )
        if made[0] == "0" and original[0] != "0":
            made[0] = "1"
        text = "".join(made)
        # Neither itself nor something that reads as a date.
        return text if text != original and not dates.find(text) else self._shape(original + " ")[: len(original)]

    def _han(self, kind: str, original: str) -> str:
        """A Chinese name sign by sign (a surname by a surname), a place by another of the same length; no two names share one."""
        name = (kind, original)
        if name not in self._given:
            for turn in count():
                made = "".join(self._sign(kind, original, at, turn) for at in range(len(original)))
                if turn == 20 or (made not in self._used and made not in self.avoid):
                    break
            self._used.add(made)
            self._given[name] = made
        return self._given[name]

    def _sign(self, kind: str, original: str, at: int, turn: int) -> str:
        sign = original[at]
        if not "\u4e00" <= sign <= "\u9fff":
            return str(self.number("digit", original, str(at)) % 10) if sign.isdigit() else sign
        if kind == "place" and sign in _HAN_KEPT:
            return sign
        # A family keeps one surname; what follows depends on the whole name.
        signs = _HAN_PLACE if kind == "place" else _HAN_FAMILY if at == 0 else _HAN_GIVEN
        choice = self.number("han", kind, str(min(at, 1)), sign, f"{original}|{turn}" if at or kind == "place" else "") % len(signs)
        return signs[choice] if signs[choice] != sign else signs[(choice + 1) % len(signs)]
