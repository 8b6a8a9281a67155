"""What a text is, before it is read: nothing, a language that no lexicon reads, or something with English or Chinese in it."""

from __future__ import annotations

import re
import string

from harness.types import ReportStatus

_SIGNS = str.maketrans(dict.fromkeys(string.punctuation + string.digits + "’“”–—，。；：、（）", " "))
HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿]")
_KANA_OR_HANGUL = re.compile(r"[぀-ヿ가-힯ᄀ-ᇿ]")
_OTHER_LETTER = re.compile(r"[^\W\d_a-zÀ-ɏ㐀-䶿一-鿿豈-﫿Ḁ-ỿ]")
_ACCENTED = re.compile("[ß-öø-ɏḀ-ỿ]")
_JAPANESE = re.compile(
    "[気両変拡査検図囲広売実黒帰経済歩単塁県対発戻処拝浄黙権浅渋焼猟仮価剤効勲圧亜軽転従縦読続験鋭脳悪総覚観関栄滞収陥顕様齢痩隠]"
    r"|胸郭|横隔膜|陳旧|石灰化|貯留|所見無|異常無|骨折無|像無|無し|認めず|心拡大|心陰影|(?<![全從从毫])無(?=[。、，\s]|$)"
)
"""Characters and words that Chinese does not write."""
_CHINESE = re.compile(
    "[们这没见无显异与双两侧轻减历压断续迟边缘锐圆横隐约类团后现观层间润为还并过从术强径长宽征证处残际环结节肿块脏气积钙动脉应扩张实变体叶门纹乱质纤维]|未见|未見|無明顯|沒有"
)
"""Characters and words that Japanese does not write."""

_ENGLISH = (
    "the of is are and there with without has have seen for within at which no not this that or to on in was were normal clear left right lung lungs heart "
    "chest small large mild new old unchanged stable enlarged size line tube by from as but be been upper lower lobe bilateral base bases"
)
_FOREIGN = {
    "Spanish": (
        "el la los las del y con sin una unos por que se observa derrame corazon corazón pulmones pulmón cardiomegalia "
        "neumotórax neumotorax silueta hallazgos normales aumento cardíaca cardiaca izquierdo izquierda derecho derecha campos "
        "pulmonares infiltrados signos fractura opacidad hay ni senos costofrénicos libres tórax pleura leve radiografía sonda "
        "catéter nódulo cor "
    ),
    "Portuguese": (
        "sem uma dos das não há e pulmões coração pneumotórax área cardíaca aumentada tórax sinais derrame esquerdo esquerda "
        "direito direita opacidade ausência seios campos "
    ),
    "French": (
        "le les des du est sont une un dans pas avec sur pour coeur cœur poumon poumons épanchement cardiomégalie de d l droite "
        "droit gauche absence aucun aucune sans pneumothorax discrète modérée culs libres médiastin clairs normale normaux "
        "opacité foyer fracture côte côtes parenchyme pulmonaire silhouette cardiaque retrouve pleurésie thorax visible "
        "visibles taille au aux ni normal bilan syndrome "
    ),
    "German": (
        "der das die und ist nicht kein keine keinen mit im ein eine einen von herz lunge lungen erguss pleuraerguss befund "
        "kardiomegalie größe links rechts beidseits ohne nachweis infiltrat infiltrate normal groß frei unauffällig "
        "pneumothorax zeichen herzgröße thorax rippenfraktur verschattung stauung "
    ),
    "Italian": (
        "il lo gli della di non è nel cuore polmoni versamento pleurico destro destra sinistro sinistra senza segni nei limiti "
        "norma opacità del dei alterazioni pneumotorace torace ingrandito ombra cardiaca focolai pleuriche lesioni "
    ),
    "Dutch": (
        "het een van geen niet met hart longen pleuravocht links rechts aanwijzingen voor normaal vergroot groot beiderzijds "
        "longvelden thorax is hartgrootte "
    ),
    "Swedish": (
        "och inte hjärta hjärtat ingen inga inget lungor lungorna pleuravätska utan förstorat normalt stort lätt höger vänster "
        "är med i av infiltrat förtätning stas pneumotorax hjärtstorlek lungfält tecken till mediastinum bilateralt ej fraktur "
    ),
    "Danish": (
        "ikke ingen hjerte hjertet lunger lungerne pleuravæske uden normal størrelse højre venstre og tegn på forstørret er med "
        "pleurale infiltrater stase "
    ),
    "Norwegian": (
        "ikke ingen hjerte hjertet lunger lungene pleuravæske uten normal størrelse høyre venstre og tegn på forstørret er fortetninger "
    ),
    "Finnish": "ei ole sydän keuhkot pleuranestettä normaali suurentunut oikea vasen ja on oikealla vasemmalla muutoksia",
    "Polish": (
        "nie jest serce płuca płucach płuc bez i w zmian płyn prawej lewej prawy lewy powiększone sylwetka opłucnej opłucnowej "
        "ogniskowych odma jam cień "
    ),
    "Czech": "bez a srdce plíce v není výpotek pravý levý pravém levém zvětšené ložiskových ložisek nález rozšířen plicní kresba",
    "Romanian": (
        "cord cordul fără leziuni de și în dreapta stânga stang drept plămâni pulmonare pleurale normal dimensiuni fara "
        "pneumotorax lichid revărsat este nu se cu opacitate limite normale cardiomegalie hiluri sinusuri costodiafragmatice "
        "libere active plamani "
    ),
    "Hungarian": "nem nincs szív tüdő jobb bal és a az mellkasi folyadék normális nagyságú oldali kóros",
    "Turkish": "ve akciğer kalp yok sağ sol normal plevral efüzyon boyutu genişlemiş bilateral açık sinüsler",
    "Indonesian": "jantung paru tidak dan kanan kiri efusi pleura normal membesar tampak dalam batas kesan",
    "Vietnamese": "của và không phổi tim bóng màng bình thường dịch hai bên trái phải",
    "Latin": (
        "cor pulmo pulmones nulla nullus sine effusio pleuralis fractura dextra dextri dexter sinistra sinister normales "
        "normalis clari et in non est sunt signa cordis magnitudo utrumque costae "
    ),
    "Catalan": "sense amb cor pulmons embassament cardiomegàlia",
    "Croatian": "srce pluća nema izljeva lijevo desno bez uredno znakova povećano",
}
"""By language words of its reports."""
_SHARED = frozenset(
    [
        "a",
        "i",
        "is",
        "in",
        "at",
        "on",
        "as",
        "an",
        "or",
        "no",
        "for",
        "normal",
        "thorax",
        "infiltrate",
        "pneumothorax",
        "visible",
        "silhouette",
        "parenchyma",
        "fracture",
        "links",
        "bilateral",
        "mediastinum",
        "pleura",
        "active",
        "signs",
        "cor",
        "syndrome",
        "d",
        "l",
        "e",
        "v",
        "w",
        "y",
        "til",
        "se",
        "cardiaca",
        "die",
        "den",
        "her",
        "to",
        "be",
        "so",
        "me",
        "we",
        "sun",
        "et",
        "sin",
        "au",
        "ni",
        "hay",
        "bases",
        "pour",
        "son",
        "fin",
        "mediastinal",
        "frei",
        "stase",
        "infiltrat",
        "med",
        "er",
        "under",
        "over",
        "start",
        "plan",
    ]
)
"""Words that English reports write too."""
ENGLISH = frozenset(_ENGLISH.split())
FOREIGN = frozenset(word for words in _FOREIGN.values() for word in words.split() if len(word) > 1) - ENGLISH - _SHARED
"""Words of other languages' reports that no English report holds more of than of English ones."""


def status(small: str) -> ReportStatus:
    """Whether a text in lower case is in a language that can be read; the whole text or its greater part.

    Returns:
        `ok` also where a text holds no word at all: whether it says anything is for the lexicons.
    """
    words = small.translate(_SIGNS).split()
    foreign = len(FOREIGN.intersection(words))
    if not small.isascii():
        han, other = len(HAN.findall(small)), len(_OTHER_LETTER.findall(small))
        latin = sum(map(len, re.findall("[a-zà-ɏ]+", small)))
        if other > latin + han or len(_KANA_OR_HANGUL.findall(small)) > 0.1 * han > 0:
            return ReportStatus.UNSUPPORTED
        if han and len(_JAPANESE.findall(small)) > len(_CHINESE.findall(small)):
            return ReportStatus.UNSUPPORTED
        if 2 * han > latin:
            return ReportStatus.OK
        foreign += sum(bool(_ACCENTED.search(word)) for word in words)
    if foreign and foreign > len(ENGLISH.intersection(words)):
        return ReportStatus.UNSUPPORTED
    return ReportStatus.OK
