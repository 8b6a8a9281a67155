"""A language's lexicon: read from its TOML file, spread into single phrases, and kept as a trie of words.

A phrase is written as words with two signs: `(a|b|)` is a choice, an empty branch included, and `#` stands for any number.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from harness.findings import RAN_21
from harness.signature import digest

CUES = frozenset(
    {
        "negation",  # "no", "without": what follows is absent
        "negation after",  # "is not seen": what stands before is absent
        "negation either",  # Chinese "not seen": in front of what is absent, or behind it
        "gone",  # "resolved", "removed": in front of it or behind it, as the verb decides
        "gone before",  # "resolution of": what follows is gone
        "unlikely",  # "less likely": in front of it or behind it
        "undecided either",
        "hedge either",
        "history after",
        "history",  # "history of": what follows is not a finding of this film
        "prior",  # "previous": the next noun only, and not what lasts (a fracture, a scar)
        "condition",  # "if", "to evaluate for": what follows is a question
        "undecided",  # "cannot exclude": what follows is neither
        "undecided after",  # "cannot be excluded": what stands before is neither
        "hedge",  # "may represent": what follows is possible
        "hedge after",  # "are possible": the same for what stands before
        "artefact",  # "accentuated by technique": explains a size away
        "artefact before",  # the same for what follows
        "change",  # "change in": after a negation it cancels that negation
        "stop",  # "but", "however": a scope ends
        "comma",
        "colon",
        "and",
        "or",
        "verb",  # "is", "remains"
        "seen",  # "seen", "present": a verb's ending that asserts nothing new
        "normal",  # "normal", "clear"
        "degree",  # "mild", "stable": after a comma it begins a new assertion
        "side",  # "left", "linear": after a comma it begins a new assertion, after "and" it does not
        "relation",  # "overlying": what follows is no place of the observation
        "skip",  # phrases that only look like a finding ("pericardial effusion")
    }
)
"""The kinds of words that are no finding but decide about findings."""

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Concept:
    """What a phrase stands for: a cue, a place, or an observation."""

    kind: str
    """`place`, `observation`, or one of `CUES`."""
    name: str = ""
    gives: tuple[int, ...] = ()
    """The findings of an observation that is bound to no place, as positions in `RAN_21`."""
    at: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By place, the findings of an observation bound to it; a place that is not named here takes `gives` unless it lies outside."""
    outside: bool = False
    """Of a place: not in the chest's scope, so nothing observed there counts."""
    predicate: bool = False
    """Of an observation: an adjective that can stand alone after its noun ("heart enlarged")."""
    lasting: bool = False
    """Of an observation: it stays once it happened, so "prior" does not end it."""
    needs: bool = False
    """Of an observation: without a place it gives nothing."""
    trailing: bool = False
    """Of an observation: it stands behind its place, as in Chinese."""
    placed: bool = False
    """Of an observation: where it is seen matters."""


class Node(dict[str, "Node"]):
    """A node of the trie of words; `concept` is set where a phrase ends."""

    __slots__ = ("concept",)

    def __init__(self) -> None:
        super().__init__()
        self.concept: Concept | None = None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All phrases of a language."""

    language: str
    trie: Node
    words: Mapping[str, str]
    """Another spelling to the spelling that the phrases use."""
    known: frozenset[str]
    """All words of all phrases, which are never taken for misspellings."""
    long: frozenset[str]
    """Words that a misspelling is corrected to."""
    vocabulary: frozenset[str]
    """Words any of which makes a text a report."""
    digest: str


def spread(phrase: str) -> Iterator[Words]:
    """Every phrase that a pattern stands for.

    >>> list(spread("(small|) (pleural |)effusion"))[0]
    ('small', 'pleural', 'effusion')
    """
    parts = [part.split("|") if index % 2 else [part] for index, part in enumerate(re.split(r"[()]", phrase))]
    for choice in itertools.product(*parts):
        yield tuple("".join(choice).split())


def phrases_of(data: Mapping[str, Any], split: bool) -> Iterator[tuple[Words, Concept]]:
    """Phrases with what they stand for.

    Args:
        data: The lexicon's TOML.
        split: Whether a phrase is split at every character (Chinese) and not at spaces.
    """
    concepts = itertools.chain(
        ((Concept(kind), phrases) for kind, phrases in data["cues"].items()),
        ((Concept("place", name, outside=name in data["outside"]), phrases) for name, phrases in data["places"].items()),
        ((_observation(name, entry, False, split), entry["phrases"]) for name, entry in data["observations"].items()),
        ((_observation(name, entry, True, split), entry.get("adjectives", ())) for name, entry in data["observations"].items()),
    )
    for concept, phrases in concepts:
        for phrase in phrases:
            for words in spread(phrase):
                yield (tuple(re.findall(r"[a-z]+|\S", " ".join(words))) if split else words), concept


def _observation(name: str, entry: Mapping[str, Any], predicate: bool, trailing: bool) -> Concept:
    return Concept(
        "observation",
        name,
        gives=_positions(entry.get("gives", ())),
        at={place: _positions(findings) for place, findings in entry.get("at", {}).items()},
        predicate=predicate,
        trailing=trailing,
        lasting=entry.get("lasting", False),
        needs="gives" not in entry,
        placed="at" in entry,
    )


def _positions(findings: Iterable[str]) -> tuple[int, ...]:
    return tuple(RAN_21.index(finding) for finding in findings)


def build(data: Mapping[str, Any]) -> Lexicon:
    """Make a lexicon from its TOML.

    Raises:
        ValueError: A phrase stands for two things, a cue or a place is unknown, or a phrase is empty.
    """
    _check(data)
    split = data["language"] == "zh"
    phrases = list(phrases_of(data, split))
    content = {word for phrase, concept in phrases if concept.kind in ("observation", "place") for word in phrase}
    words = {spelling: word for word, spellings in data["spellings"].items() for spelling in spellings}
    if split:
        words.update(zip(data["traditional"], data["simplified"], strict=True))
    else:
        words = {plural: word for word in content for plural in _plurals(word)} | words
        content -= words.keys()
    trie, twice = Node(), []
    for phrase, concept in phrases:
        if not phrase:
            raise ValueError(f"an empty phrase in {concept.kind} {concept.name}")
        node = trie
        for word in phrase:
            node = node.setdefault(words.get(word, word), Node())
        if node.concept is not None and node.concept != concept:
            twice.append(f"{' '.join(phrase)!r}: {node.concept.name or node.concept.kind}, {concept.name or concept.kind}")
        node.concept = concept
    if twice:
        raise ValueError(f"phrases that stand for two things: {'; '.join(twice)}")
    if split:
        vocabulary = {"".join(phrase) for phrase, concept in phrases if concept.gives and len("".join(phrase)) > 1} | set(data["clinical"])
    else:
        vocabulary = (content - set(data["not clinical"])) | set(data["clinical"])
    return Lexicon(
        data["language"],
        trie,
        words,
        frozenset(word for phrase, _ in phrases for word in phrase) | words.keys(),
        frozenset() if split else frozenset(word for word in content if len(word) >= 7),
        frozenset(word for word in vocabulary if not word.isdigit()),
        digest(data),
    )


def _plurals(word: str) -> tuple[str, ...]:
    if len(word) < 3 or word.endswith("s"):
        return (word + "es",) if word.endswith("ss") else ()
    return (word[:-1] + "ies", word + "s") if word.endswith("y") else (word + "s", word + "es")


def _check(data: Mapping[str, Any]) -> None:
    unknown = set(data["cues"]) - CUES
    places = {place for entry in data["observations"].values() for place in entry.get("at", {})} | set(data["outside"])
    unknown |= places - set(data["places"])
    if unknown:
        raise ValueError(f"the lexicon of {data['language']} uses {', '.join(sorted(unknown))} without saying what it is")


@cache
def load(name: str) -> Lexicon:
    """The lexicon of that file (`english`, `chinese`), read once a process."""
    text = files("harness.extractors.lexical").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return build(tomllib.loads(text))
