"""Profiles: the recipes by which each family of papers prints its text metrics, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from harness.errors import UnavailableError, UsageError
from harness.metrics import REGISTRY, metric

BOARD = "board"
ALL = "all"


@dataclass(frozen=True, slots=True)
class Profile:
    """The metrics of one family, each with its recipe."""

    metrics: tuple[str, ...]
    says: str
    """Whose numbers these are, a sentence without a full stop."""
    text: bool = True
    """Whether all of its metrics count words alone, and are part of `all`."""


PROFILES: Mapping[str, Profile] = {
    # No METEOR: whether Java is installed must not decide a record's digest. See docs/metrics.md for why this recipe.
    BOARD: Profile(
        ("bleu:coco|ptb", "rouge-l:coco|ptb", "cider:coco|ptb"),
        "this board's own: the coco profile without METEOR, so that every machine computes the same",
    ),
    "coco": Profile(
        ("bleu:coco|ptb", "rouge-l:coco|ptb", "cider:coco|ptb", "meteor-1.5:jar|ptb"),
        "COCOEvalCap with its tokeniser, as RaDialog",
    ),
    "r2gen": Profile(
        ("bleu:coco|r2gen-mimic", "rouge-l:coco|r2gen-mimic", "cider:coco|r2gen-mimic", "meteor-1.5:jar|r2gen-mimic"),
        "R2Gen's cleaner on both sides, references whole",
    ),
    "r2gen-iu": Profile(
        ("bleu:coco|r2gen-iu|cut-60", "rouge-l:coco|r2gen-iu|cut-60", "meteor-1.5:jar|r2gen-iu|cut-60"),
        "R2Gen and its kin on Indiana University reports: references cut; rare words are not made <unk>",
    ),
    "r2gen-mimic": Profile(
        ("bleu:coco|r2gen-mimic|cut-100", "rouge-l:coco|r2gen-mimic|cut-100", "meteor-1.5:jar|r2gen-mimic|cut-100"),
        "R2Gen and its kin on MIMIC-CXR: references cut; rare words are not made <unk>",
    ),
    "radeval": Profile(
        ("bleu:coco|raw", "rouge-l:f1|words|stem"),
        "RadEval, vilmedic and the RRG24 shared task: case and punctuation as written",
    ),
    "rexrank": Profile(("bleu:sentence|rexrank",), "ReXrank and CXR-Report-Metric: the mean of each report's BLEU-2"),
    "libra": Profile(
        ("bleu:corpus|lower|libra|13a", "rouge-l:f1|lower|libra|words", "meteor-nltk:wordnet|lower|libra|13a"),
        "Libra and others that clean and call Hugging Face evaluate; its ROUGE is a bootstrap median, here it is the mean",
    ),
    "rouge-score": Profile(("rouge-l:f1|words", "rouge-l:f1|words|stem"), "the package rouge-score without and with its stemmer"),
    "rexrank-2026": Profile(
        (
            "bleu:sentence|rexrank",
            "bertscore:rescaled",
            "sembscore",
            "radgraph-f1:rexrank|radgraph",
            "radcliq:v1",
            "ratescore:long",
            "green",
        ),
        "ReXrank's seven metrics of 2026; its 1/RadCliQ is RadCliQ here, a distance",
        text=False,
    ),
    "cxrmate-2": Profile(
        (
            *("ratescore:long", "green", "radeval-bertscore", "radgraph-f1:partial|radgraph-xl", "chexbert-f1:micro-5|u1|zd0", "cxr-bert"),
            *("bertscore:rescaled", "bleu:coco|raw", "rouge-l:f1|words|stem"),
        ),
        "CXRMate-2's nine metrics",
        text=False,
    ),
    "radeval-2.2": Profile(
        (
            *("bleu:coco|raw", "rouge-l:f1|words|stem", "chexbert-f1:micro-5|u1|zd0", "radgraph-f1:partial|radgraph-xl", "radcliq:v1"),
            *("ratescore:long", "temporal-f1", "srr-bert", "radeval-bertscore", "green", "crimson:guidelines"),
        ),
        "RadEval 2.2's metrics of chest radiographs",
        text=False,
    ),
    "zh": Profile(("bleu:coco|zh", "rouge-l:coco|zh", "cider:coco|zh"), "Chinese reports: every character a word, as sacrebleu's zh"),
}


def profile(name: str = "") -> list[str]:
    """The metric specs of a profile.

    Args:
        name: A profile, `all` for every spec of every profile of text metrics once, or empty for the board's default.

    Raises:
        UsageError: There is no such profile.
    """
    if name == ALL:
        return list(dict.fromkeys(spec for each in PROFILES.values() if each.text for spec in each.metrics))
    chosen = PROFILES.get(name or BOARD)
    if chosen is None:
        raise UsageError(f"there is no profile {name!r}; there are {', '.join(PROFILES)} and {ALL}")
    return list(chosen.metrics)


def default_for(language: str) -> str:
    """The profile of a cohort's language: white space separates no words in Chinese."""
    return "zh" if language == "zh" else BOARD


def missing(name: str) -> dict[str, str]:
    """By spec of a profile what is not here and what to do about it, on one line; empty where all of it can be computed."""
    found = {}
    for spec in PROFILES[name].metrics:
        try:
            metric(spec)
        except UnavailableError as error:
            found[spec] = " ".join(" ".join(map(str, error.problems)).split())
    return found


def ways() -> dict[str, Mapping[str, str]]:
    """By text metric its ways of counting, each with what it means: what the metric's own file has under its name in `WAYS`."""
    found: dict[str, Mapping[str, str]] = {}
    for name in REGISTRY:
        known = getattr(import_module(REGISTRY.own[name].partition(":")[0]), "WAYS", {}) if name in REGISTRY.own else {}
        if name in known:
            found[name] = known[name]
    return found
