"""A language's lexicon: read from its TOML file, spread into single phrases, and kept as a trie of words.

A phrase is written as words with two signs: `(a|b|)` is a choice, an empty branch included, and `#` stands for any number.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from harness.findings import RAN_21
from harness.signature import digest

KINDS = frozenset(
    {
        "negation",  # "no", "without": what follows is absent
        "negation after",  # "is not seen": what comes before is absent
        "poorly seen",  # "not well seen": the same, but for a device, which is there
        "negation either",  # Chinese "not seen": in front of what is absent, or behind it
        "gone",  # "resolved", "removed": in front of it or behind it, as the verb decides
        "gone before",  # "resolution of": what follows is resolved
        "unlikely",  # "less likely": in front of it or behind it
        "undecided either",
        "hedge either",
        "history after",
        "history",  # "history of": what follows is not a finding of this film
        "prior",  # "previous": the next noun only, and not what lasts (a fracture, a scar)
        "condition",  # "if", "to evaluate for": what follows is a question
        "condition after",  # "may be missed": the same for what comes before
        "undecided",  # "cannot exclude": what follows is neither
        "undecided after",  # "cannot be excluded": what comes before is neither
        "hedge",  # "may represent": what follows is possible
        "hedge after",  # "are possible": the same for what comes before
        "artefact",  # "accentuated by technique": explains a size away
        "artefact before",  # the same for what follows
        "scar",  # "scarring": explains an opacity that is said to be it
        "mimic",  # "nipple shadow": the same for a nodule, an opacity, the line of a pneumothorax
        "technique",  # "low lung volumes": the same for a size or an opacity
        "linked",  # "due to": joins something to its explanation
        "change",  # "change in": after a negation it cancels that negation
        "stop",  # "but", "however": a scope ends
        "comma",
        "pause",  # the Chinese comma: ends a scope, except in a bare list that "or" closes
        "instance",  # "such as" before a finding, "if" before anything else
        "colon",
        "query",  # a question mark
        "affirmed",  # "yes"
        "zero",
        "minus",  # "(-)", "[ ]": what follows is absent, or what comes before
        "plus",
        "and",
        "or",
        "verb",  # "is", "remains"
        "seen",  # "seen", "present": a verb's ending that asserts nothing new
        "normal",  # "normal", "clear"
        "likely",  # "probably": the same as a degree, and joins something to its explanation
        "improved",  # the same as a degree; congestion that has improved is not asserted
        "degree",  # "mild", "stable": after a comma it begins a new assertion
        "side",  # "left", "linear": after a comma it begins a new assertion, after "and" it does not
        "relation",  # "overlying": what follows is no place of the observation
        "verdict",  # "acute disease": alone makes a sentence a statement about a chest
        "aside",  # "prior radiograph", "chest pain": not of this film
        "skip",  # phrases that only look like a finding ("pericardial effusion")
    }
)
"""The kinds of words that are no finding but decide about findings."""

ANCHORS = frozenset({"observation", "place", "verdict", "skip", "mimic", "scar", "technique"})
"""The kinds of phrases that can make a sentence a statement about a chest."""
NAMED = frozenset({"observation", "place", "skip", "mimic", "scar"})
"""The kinds of phrases whose words have plurals and may be misspelt."""
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """What a phrase stands for: a cue, a place, or an observation."""

    kind: str
    """`place`, `observation`, or one of `KINDS`."""
    name: str = ""
    gives: tuple[int, ...] = ()
    """The findings of an observation that is bound to no place, as positions in `RAN_21`; -1 is abnormal and none of them."""
    at: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By place, the findings of an observation bound to it; a place that is not named here takes `gives` unless it is outside."""
    outside: bool = False
    """True for a place outside the chest: nothing that is observed there counts."""
    predicate: bool = False
    """True for an observation that is an adjective and may follow its noun without a verb ("heart enlarged")."""
    lasting: bool = False
    """True for an observation that remains once it happened, so that "prior" does not end it."""
    needs: bool = False
    """True for an observation that gives nothing without a place."""
    trailing: bool = False
    """True for an observation that comes after its place, as in Chinese."""
    placed: bool = False
    """True for an observation whose finding depends on its place."""
    never: frozenset[str] = frozenset()
    """The observations beside which this observation says nothing about the patient ("fractured wires")."""
    anchor: bool = False
    """Whether the phrase is of chest films and of nothing else, so that it makes a sentence a statement about a chest."""


class Node(dict[str, "Node"]):
    """A node of the trie of words; `concept` is set where a phrase ends."""

    __slots__ = ("concept",)

    def __init__(self) -> None:
        super().__init__()
        self.concept: Concept | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """All phrases of a language."""

    language: str
    trie: Node
    words: Mapping[str, str]
    """Another spelling to the spelling that the phrases use."""
    known: frozenset[str]
    """All words of all phrases, which are never taken for misspellings."""
    near: Mapping[str, tuple[str, ...]]
    """The words that a misspelling is corrected to, by themselves and by what is left of them without one letter."""
    inside: frozenset[str]
    """Adjectives that may be inside a phrase."""
    real: frozenset[str]
    """Words of the language near to one of those, which are never taken for a misspelling."""
    digest: str


def spread(phrase: str) -> Iterator[Words]:
    """Every phrase that a pattern stands for.

    >>> list(spread("(small|) (pleural |)effusion"))[0]
    ('small', 'pleural', 'effusion')

    Raises:
        ValueError: A choice is inside another one, or not closed.
    """
    if not re.fullmatch(r"(?:[^()]|\([^()]*\))*", phrase):
        raise ValueError(f"a choice inside a choice: {phrase!r}")
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
        ((Concept(kind=kind), phrases) for kind, phrases in data["cues"].items()),
        ((Concept(kind="place", name=name, outside=name in data["outside"]), phrases) for name, phrases in data["places"].items()),
        ((_observation(name, entry, False, split), entry["phrases"]) for name, entry in data["observations"].items()),
        ((_observation(name, entry, True, split), entry.get("adjectives", ())) for name, entry in data["observations"].items()),
    )
    general, clinical = frozenset(data["general"]), frozenset(data.get("clinical", ()))
    for concept, phrases in concepts:
        anchored = replace(concept, anchor=True)
        for phrase in phrases:
            for words in spread(phrase):
                chosen = anchored if _is_anchor(words, concept, general) or phrase in clinical else concept
                yield (tuple(re.findall(r"[a-z]+|\S", " ".join(words))) if split else words), chosen


def _is_anchor(words: Words, concept: Concept, general: frozenset[str]) -> bool:
    """Whether a phrase says by itself that a text is about a chest: by one of its words, or as a finding of several."""
    if concept.kind not in ANCHORS:
        return concept.kind == "colon" and len("".join(words)) > 1
    if concept.trailing and concept.needs:
        return False
    return (
        concept.kind == "verdict"
        or not general.issuperset(words)
        or (concept.kind == "observation" and len(words) > 1 and not concept.needs)
    )


def _observation(name: str, entry: Mapping[str, Any], predicate: bool, trailing: bool) -> Concept:
    return Concept(
        kind="observation",
        name=name,
        gives=_positions(entry.get("gives", ())),
        at={place: _positions(findings) for place, findings in entry.get("at", {}).items()},
        predicate=predicate,
        trailing=trailing,
        lasting=entry.get("lasting", False),
        needs="gives" not in entry,
        placed="at" in entry,
        never=frozenset(entry.get("never", ())),
    )


def _positions(findings: Iterable[str]) -> tuple[int, ...]:
    """Positions in `RAN_21`; -1 for what is abnormal and none of them (`other`)."""
    return tuple(-1 if finding == "other" else RAN_21.index(finding) for finding in findings)


def build(data: Mapping[str, Any]) -> Lexicon:
    """Make a lexicon from its TOML.

    Raises:
        ValueError: A phrase stands for two things, a cue or a place is unknown, or a phrase is empty.
    """
    _check(data)
    split, general = data["language"] == "zh", frozenset(data["general"])
    phrases = list(phrases_of(data, split))
    content = {word for phrase, concept in phrases if concept.kind in NAMED for word in phrase}
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
        if node.concept is not None and replace(node.concept, anchor=concept.anchor) != concept:
            twice.append(f"{' '.join(phrase)!r}: {node.concept.name or node.concept.kind}, {concept.name or concept.kind}")
        node.concept = concept
    if twice:
        raise ValueError(f"phrases that stand for two things: {'; '.join(twice)}")
    return Lexicon(
        language=data["language"],
        trie=trie,
        words=words,
        known=frozenset(word for phrase, _ in phrases for word in phrase) | words.keys(),
        near={} if split else _near(frozenset(word for word in content - general if len(word) >= 7) | frozenset(data["misspelt"])),
        inside=frozenset(data.get("inside", ())),
        real=frozenset(data.get("real", "").split()),
        digest=digest(data),
    )


def merged(first: Lexicon, second: Lexicon) -> Lexicon:
    """The phrases of both languages, for sentences that hold both; where they differ the first one's hold."""
    trie = Node()
    for lexicon in (second, first):
        _graft(lexicon.trie, trie)
    return Lexicon(
        language=first.language,
        trie=trie,
        words={**second.words, **first.words},
        known=first.known | second.known,
        near={**first.near, **second.near},
        inside=first.inside | second.inside,
        real=first.real | second.real,
        digest=digest([first.digest, second.digest]),
    )


def _graft(source: Node, target: Node) -> None:
    """Copy a trie into another one."""
    for word, node in source.items():
        other = target.setdefault(word, Node())
        other.concept = node.concept or other.concept
        _graft(node, other)


def _near(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """By what is left of a word without one letter, and by the word itself, the words."""
    found: dict[str, tuple[str, ...]] = {}
    for word in sorted(words):
        for short in {word, *(word[:place] + word[place + 1 :] for place in range(1, len(word)))}:
            found[short] = (*found.get(short, ()), word)
    return found


def _plurals(word: str) -> tuple[str, ...]:
    if len(word) < 3 or word.endswith("s"):
        return (word + "es",) if word.endswith("ss") else ()
    return (word[:-1] + "ies", word + "s") if word.endswith("y") else (word + "s", word + "es")


def _check(data: Mapping[str, Any]) -> None:
    unknown = set(data["cues"]) - KINDS
    places = {place for entry in data["observations"].values() for place in entry.get("at", {})} | set(data["outside"])
    unknown |= places - set(data["places"])
    if unknown:
        raise ValueError(f"the lexicon of {data['language']} uses {', '.join(sorted(unknown))} without saying what it is")


@cache
def load(name: str) -> Lexicon:
    """The lexicon of that file (`english`, `chinese`), read once a process."""
    return build(data_of(name))


def data_of(name: str) -> dict[str, Any]:
    """The TOML of a lexicon, with the list of real words beside it where there is one."""
    folder = files("harness.extractors.lexical")
    data = tomllib.loads(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    words = folder.joinpath(f"{name}_words.txt")
    return data | {"real": words.read_text(encoding="utf-8")} if words.is_file() else data
