"""METEOR 1.5 against the jar that pycocoevalcap 1.2 brings, and the other METEOR against NLTK 3.10."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import nltk
import numpy as np
import pytest
from nltk.translate.meteor_score import single_meteor_score
from pycocoevalcap.meteor.meteor import Meteor as CocoMeteor

from harness.errors import UnavailableError
from harness.metrics import meteor, meteor_jar, metric
from harness.metrics.text.tokens import preparation
from harness.types import Input

Pairs = tuple[list[str], list[str]]
Wrap = Callable[[Sequence[str]], list[Input]]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def java() -> None:
    if shutil.which("java") is None or meteor.find_jar() is None:
        pytest.skip("there is no Java or no meteor-1.5.jar here")


def coco(name: str, pairs: Pairs) -> tuple[float, list[float]]:
    """What pycocoevalcap's own wrapper makes of the same words."""
    prepared, peer = preparation(name), CocoMeteor()
    truth = {number: [" ".join(prepared.words(text, True))] for number, text in enumerate(pairs[0])}
    said = {number: [" ".join(prepared.words(text))] for number, text in enumerate(pairs[1])}
    whole, each = peer.compute_score(truth, said)
    for stream in (peer.meteor_p.stdin, peer.meteor_p.stdout, peer.meteor_p.stderr):
        stream.close()
    peer.meteor_p.wait()
    return whole, each


PLAIN = ["", " ", ".", "normal", "no effusion. " * 1500, "no effusion. normal"]
STRANGE = ["心影增大", "😀", "a ||| b SCORE |||", "\u2028 \x85 a"]


def real_or_nothing(request: pytest.FixtureRequest) -> Pairs:
    """Sixty real pairs where they are; the jar takes long to start, so that one start serves all."""
    if not SHARED.is_dir():
        return [], []
    references, candidates = request.getfixturevalue("submitted")("moerad-iu")
    return references[:60], candidates[:60]


@pytest.mark.usefixtures("java")
def test_jar_equals_pycocoevalcap(synthetic_pairs: Pairs, as_inputs: Wrap, request: pytest.FixtureRequest) -> None:
    real = real_or_nothing(request)
    references = [*synthetic_pairs[0][:60], *real[0], *PLAIN]
    candidates = [*synthetic_pairs[1][:60], *real[1], *PLAIN[::-1]]
    made = metric("meteor-1.5:jar|raw")
    rows = made.rows(as_inputs(references + STRANGE), as_inputs(candidates + STRANGE))
    assert list(made.score(rows[-4:])["meteor-1.5"]) == [1.0] * 4
    rows = rows[:-4]
    whole, each = coco("raw", (references, candidates))
    assert list(made.score(rows)["meteor-1.5"]) == pytest.approx(each, abs=1e-9)
    assert float(made.score(rows.sum(axis=0))["meteor-1.5"]) == pytest.approx(whole, abs=1e-9)
    assert (rows[:, 20] == 0).any(), "no pair matches as a whole: the case that the jar adds up differently is not tested"
    assert made.rows([], []).shape == (0, 23)
    assert float(made.score(np.zeros(23))["meteor-1.5"]) == 0


def test_without_java_and_jar_it_says_both(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("RANSCORE_METEOR_JAR", str(tmp_path / "none.jar"))
    with pytest.raises(UnavailableError) as caught:
        metric("meteor-1.5")
    assert [("jar" in str(problem), "Java" in str(problem)) for problem in caught.value.problems] == [(True, False), (False, True)]


def test_a_program_that_fails_is_an_error(tmp_path: Path) -> None:
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\necho 1\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(UnavailableError, match="code 3 after 1 of 2"):
        meteor_jar.ask_jar(str(program), tmp_path / "meteor.jar", ["SCORE ||| a ||| a"] * 2)


def test_one_start_serves_all_and_an_ended_program_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that answers each line with its own number of lines so far, and ends after a line that says so."""
    program = tmp_path / "java"
    program.write_text(
        f"#!/bin/sh\necho start >> {tmp_path}/starts\ncount=0\n"
        'while read -r line; do count=$((count+1)); echo $count; case "$line" in *end*) exit 0;; esac; done\n'
    )
    program.chmod(0o755)

    def ask(*lines: str) -> list[str]:
        return meteor_jar.ask_jar(str(program), tmp_path / "meteor.jar", lines)

    def starts() -> int:
        return len((tmp_path / "starts").read_text().splitlines())

    # More lines than both pipes hold.
    assert ask(*["a line of some length " * 4] * 5000)[-1] == "5000"
    assert ask("b", "end") == ["5001", "5002"] and starts() == 1
    assert ask("c") == ["1"] and starts() == 2
    with pytest.raises(UnavailableError, match="code 0 after 1 of 3"):
        ask("end", "never read", "nor this")
    monkeypatch.setattr(meteor_jar, "IDLE", 0.05)
    assert ask("d") == ["1"] and starts() == 3
    deadline = time.monotonic() + 20
    while meteor_jar._running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not meteor_jar._running, "an idle program is ended"


class NoSynonyms:
    """Stands where NLTK wants WordNet: knows no word, as an empty dictionary would."""

    def synsets(self, word: str) -> list[object]:
        return []


@pytest.mark.parametrize("name", ["lower", "raw", "ptb", "lower|13a"])
def test_stem_equals_nltk(name: str, synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    rows = metric(f"meteor-nltk:stem|{name}").rows(as_inputs(synthetic_pairs[0]), as_inputs(synthetic_pairs[1]))
    assert list(rows[:, 0]) == pytest.approx(list(by_nltk(name, synthetic_pairs, NoSynonyms())), abs=1e-9)


def by_nltk(name: str, pairs: Pairs, wordnet: object) -> Iterator[float]:
    prepared = preparation(name)
    for truth, said in zip(*pairs, strict=True):
        yield single_meteor_score(prepared.words(truth), prepared.words(said), wordnet=wordnet)


def test_stem_equals_nltk_on_real_pairs(submitted: Callable[[str], Pairs], as_inputs: Wrap) -> None:
    pairs = submitted("moerad-iu")
    rows = metric("meteor-nltk").rows(as_inputs(pairs[0]), as_inputs(pairs[1]))
    assert list(rows[:, 0]) == pytest.approx(list(by_nltk("lower", pairs, NoSynonyms())), abs=1e-9)


class Lemma:
    """A word of a made-up thesaurus."""

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        return self._name


class Synset:
    """A set of words of the same meaning."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def lemmas(self) -> list[Lemma]:
        return [Lemma(name) for name in self._names]


class Thesaurus:
    """A tiny WordNet of our own with the interface that NLTK uses."""

    sets = (("heart", "cardiac", "core"), ("enlarged", "big", "blown_up"), ("normal", "unremarkable"), ("size", "bulk", "big"))

    def synsets(self, word: str) -> list[Synset]:
        return [Synset(*names) for names in self.sets if word in names]


def test_synonyms_match_as_in_nltk(synthetic_pairs: Pairs) -> None:
    """The alignment with a third matcher, over a thesaurus that both get."""
    thesaurus, chance = Thesaurus(), np.random.default_rng(4)
    words = ["heart", "cardiac", "core", "enlarged", "big", "normal", "unremarkable", "size", "bulk", "the", "hearts", "normally"]

    def known(word: str) -> frozenset[str]:
        return frozenset({word, *(name for names in thesaurus.sets if word in names for name in names if "_" not in name)})

    for _ in range(300):
        first, second = (list(chance.choice(words, size=chance.integers(0, 12))) for _ in range(2))
        expected = single_meteor_score(first, second, wordnet=thesaurus)
        assert meteor.meteor_of(first, second, known) == pytest.approx(expected, abs=1e-9)


def test_wordnet_equals_nltk_or_is_said_to_be_absent(synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    try:
        nltk.data.find("corpora/wordnet.zip")
    except LookupError:
        with pytest.raises(UnavailableError, match="WordNet"):
            metric("meteor-nltk:wordnet|lower")
        return
    from nltk.corpus import wordnet

    rows = metric("meteor-nltk:wordnet|lower").rows(as_inputs(synthetic_pairs[0][:40]), as_inputs(synthetic_pairs[1][:40]))
    assert list(rows[:, 0]) == pytest.approx(list(islice(by_nltk("lower", synthetic_pairs, wordnet), 40)), abs=1e-9)
