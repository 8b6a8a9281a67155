"""What a text is, before it is read: nothing, a language that no lexicon reads, English, or Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.types import ReportStatus

WORDS = re.compile(r"[^\W\d_]+")
HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿]")
KANA_OR_HANGUL = re.compile(r"[぀-ヿ가-힯ᄀ-ᇿ]")
OTHER_LETTER = re.compile(r"[^\W\d_a-zÀ-ɏ㐀-䶿一-鿿豈-﫿Ḁ-ỿ]")

_ENGLISH = "the of is are and there with without has have seen for within at which no not this that or to on in was were normal clear"
_SPANISH = (
    "el la los las del y con sin una por que se observa derrame corazon corazón pulmones pulmón cardiomegalia neumotórax silueta hallazgos"
)
_PORTUGUESE = "sem uma dos das não há pulmões coração pneumotórax área cardíaca aumentada tórax sinais"
_FRENCH = "le les des du est sont une dans pas avec sur pour coeur cœur poumon poumons épanchement cardiomégalie"
_GERMAN = "der das und ist nicht kein keine mit im ein eine von herz lunge lungen erguss pleuraerguss befund kardiomegalie größe"
_ITALIAN = "il lo gli della di non è nel cuore polmoni versamento pleurico"
_OTHERS = "het een van geen niet met hart longen nie jest serce płuca ve akciğer kalp yok của và không phổi dan tidak jantung paru och inte hjärta ikke og"
ENGLISH = frozenset(_ENGLISH.split())
FOREIGN = frozenset(" ".join((_SPANISH, _PORTUGUESE, _FRENCH, _GERMAN, _ITALIAN, _OTHERS)).split())
"""Words that no English report holds more of than of the English ones above."""
ANSWER = tuple[str, ReportStatus]


def status(small: str, knows_english: Callable[[str], bool], knows_chinese: Callable[[str], bool]) -> ANSWER:
    """The language of a text in lower case, and whether it can be read.

    Args:
        small: The text.
        knows_english: Whether it holds a word of the English clinical vocabulary.
        knows_chinese: The same for Chinese.

    Returns:
        `en` or `zh`, and `ok`, `empty` or `unsupported`. A text without any clinical word of a language it could be in is empty.
    """
    if not small.isascii():
        han, other = len(HAN.findall(small)), len(OTHER_LETTER.findall(small))
        latin = sum(map(len, re.findall("[a-zà-ɏ]+", small)))
        if other > latin + han or len(KANA_OR_HANGUL.findall(small)) > 0.1 * han > 0:
            return "", ReportStatus.UNSUPPORTED
        if 2 * han > latin:
            return "zh", ReportStatus.OK if knows_chinese(small) else ReportStatus.EMPTY
    words = set(WORDS.findall(small))
    foreign = len(words & FOREIGN)
    if foreign and foreign > len(words & ENGLISH):
        return "", ReportStatus.UNSUPPORTED
    return "en", ReportStatus.OK if knows_english(small) else ReportStatus.EMPTY
