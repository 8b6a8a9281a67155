"""Preparation of text against the programs that published it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pycocoevalcap.tokenizer.ptbtokenizer as coco_tokenizer
import pytest
from nltk.stem.porter import PorterStemmer
from rouge_score.tokenize import tokenize as rouge_tokenize
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

from harness.errors import UsageError
from harness.metrics.text.porter import stem
from harness.metrics.text.tokens import STEPS, preparation

SAMPLES = (
    "Heart size is normal. No effusion,pneumothorax... 2.5cm nodule-like opacity (T9-T10), 1,000 x 3.\nThe AT&amp;T <skipped>line -\nends",
    "“Quoted” — text, 5–6 mm; 10% + 3 = 13 @home #2 $5 & co. a.b ..c 3-4 x-1 1-x",
    "心影增大，两肺纹理增多。CT 3.5cm 结节；ＡＢ１２。⻀ 〇 ㊣ ℃ → “肺炎”",
    "😀 clear 😀😀 émphysème ÀÉ",
)


def mteval(text: str) -> list[str]:
    return str(Tokenizer13a()(text)).split()  # type: ignore[no-untyped-call]


def sacre_zh(text: str) -> list[str]:
    return str(TokenizerZh()(text)).split()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("text", SAMPLES)
def test_13a_zh_and_words_equal_their_originals(text: str) -> None:
    assert list(preparation("13a").words(text)) == mteval(text)
    assert list(preparation("zh").words(text)) == sacre_zh(text)
    assert list(preparation("words").words(text)) == rouge_tokenize(text, None)
    assert list(preparation("words|stem").words(text)) == rouge_tokenize(text, PorterStemmer())


def test_13a_zh_and_words_equal_their_originals_on_real_reports(real_texts: list[str]) -> None:
    for text in real_texts:
        assert list(preparation("13a").words(text)) == mteval(text)
        assert list(preparation("zh").words(text)) == sacre_zh(text)
        assert list(preparation("words|stem").words(text)) == rouge_tokenize(text, PorterStemmer())


def test_stems_equal_nltk() -> None:
    """Words that exercise every rule, and made-up ones from their endings."""
    roots = (
        "",
        "a",
        "b",
        "tr",
        "sky",
        "fly",
        "cat",
        "fall",
        "hop",
        "size",
        "radio",
        "opac",
        "cardi",
        "agre",
        "yy",
        "say",
        "geo",
        "theo",
        "oat",
    )
    ends = "s es ies sses ss eed ed ing ied at bl iz y ational tional enci anci izer bli abli alli entli eli ousli ization ation ator alism"
    ends += " iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement"
    ends += " ment ent ion sion tion ou ism ate iti ous ive ize e ll le ying ings"
    words = [root + end for root in roots for end in ["", *ends.split()]]
    words += ["skies", "dying", "news", "innings", "howe", "proceed", "exceed", "succeed", "cannings", "IS", "Heart", "Opacities"]
    peer = PorterStemmer()
    assert {word: stem(word) for word in words} == {word: peer.stem(word) for word in words}


def java_ptb(texts: list[str], folder: Path) -> list[list[str]]:
    """What pycocoevalcap's PTBTokenizer makes of texts, by its own command line and its own list of punctuation."""
    if shutil.which("java") is None:
        pytest.skip("there is no Java here to run the Stanford tokeniser")
    source = folder / "texts.txt"
    source.write_text("\n".join(re.sub(r"\s+", " ", text) for text in texts), encoding="utf-8")
    home = os.path.dirname(coco_tokenizer.__file__)
    command = [
        "java",
        "-Dfile.encoding=UTF-8",
        "-Dstdout.encoding=UTF-8",
        "-cp",
        os.path.join(home, coco_tokenizer.STANFORD_CORENLP_3_4_1_JAR),
    ]
    command += ["edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase", str(source)]
    lines = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\n")[: len(texts)]
    dropped = {*coco_tokenizer.PUNCTUATIONS, ""}
    return [[word for word in line.replace("\xa0", " ").rstrip().split(" ") if word not in dropped] for line in lines]


def test_ptb_equals_the_java_tokeniser_on_real_reports(real_texts: list[str], tmp_path: Path) -> None:
    expected = java_ptb(real_texts, tmp_path)
    equal = sum(list(preparation("ptb").words(text)) == words for text, words in zip(real_texts, expected, strict=True))
    assert len(real_texts) > 2000
    assert equal >= 0.999 * len(real_texts)


def test_ptb_equals_the_java_tokeniser_where_it_is_peculiar(tmp_path: Path) -> None:
    texts = [
        "Seen on prior CT. Hilar mass. Dr. Who at 5 p.m. saw it",
        "The patient's heart isn't, it cannot; they've (as before) said",
        "16.2/24.7 and 19/33 on 01/02/2010, 10:30",
        "contour.Unfolded aorta; 1.severe 3.no 2., mild",
        "a 1.5cm nodule, 3mm x 4 mm. T9-T10 5-10%",
        "A&P b&w r/o w/ s/p and/or C5/6",
        "two- and three-view x-ray -lead trail-",
        "____ ___size a_b ... -- !? [sic] {x} <br>word 5 < 6",
        "disease/emphysema.no focal, 3mm.No; T9.no q.d.no the!lungs (a:) b.i.d. seen.well-expanded x-ray.no-effusion",
        "Mass. and mass. No. 3 no. no Wash. wash.",
        "émphysème naïve 心脏 正常 ~5 +2 -3 #3 $5 1,000",
        "!! ' 'quoted' \"double\" o'clock T1'",
    ]
    assert [list(preparation("ptb").words(text)) for text in texts] == java_ptb(texts, tmp_path)


def test_r2gen_cleaners_keep_their_accidents() -> None:
    """Worked out by hand from the published regular expression."""
    text = 'Low-lung volumes.. T11. Heart "big"/large; a<b>c. 2. No: [effusion] 3.5 cm'
    expected = "low-lung volumes . t1heart biglarge abc . no effusion 35 cm ."
    for name in ("r2gen-iu", "r2gen-mimic"):
        assert " ".join(preparation(name).words(text)) == expected
    assert preparation("r2gen-iu").words("Clear.\nNormal.") == ("clear", "normal", ".")
    assert preparation("r2gen-mimic").words("Clear.\nNormal.") == ("clear", ".", "normal", ".")


def test_cut_shortens_references_only() -> None:
    text = " ".join(f"w{number}" for number in range(120))
    assert len(preparation("r2gen-iu|cut-60").words(text, reference=True)) == 59
    assert len(preparation("r2gen-mimic|cut-100").words(text, reference=True)) == 99
    assert len(preparation("r2gen-iu|cut-60").words(text)) == 121


def test_rexrank_and_libra_by_hand() -> None:
    assert preparation("rexrank").words("No Effusion.  Clear\nlungs.") == ("no", "effusion", ".", "clear\nlungs", ".")
    assert preparation("lower|libra|13a").words("X-ray__of\nthe chest: 3.5*cm") == ("x", "ray", "of", "the", "chest", ":", "3.5cm")


@pytest.mark.parametrize("name", [*STEPS, "lower|13a", "words|stem"])
@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_blank_text_has_no_words(name: str, text: str) -> None:
    assert preparation(name).words(text) == ()


@pytest.mark.parametrize("name", ["", "nonsense", "ptb|lower", "ptb|13a", "raw|stem", "lower|raw", "lower|lower"])
def test_a_preparation_that_makes_no_sense_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        preparation(name)
