"""RaTEScore (Zhao et al. 2024), version 0.6.0 of its package, without medspacy: entities of two reports, matched by meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import numpy as np

from harness import config
from harness.errors import Problem, UnavailableError, UsageError
from harness.metrics.means import Mean
from harness.metrics.ratescore.matching import MATRICES, Affinity, Entity, score
from harness.metrics.ratescore.rules import SentenceRules, read
from harness.metrics.ratescore.splitting import sentences
from harness.types import Array

NEEDED = {
    "tagger": "the folder of Angelakeke/RaTE-NER-Deberta (MIT, 0.74 GB)",
    "names": "the folder of FremyCompany/BioLORD-2023-C (0.44 GB; its licence is that of UMLS and SNOMED CT)",
    "rules": "medspacy's resources/en/rush_rules.tsv (Apache-2.0, 24 kB): `pip download --no-deps medspacy==1.3.1` holds it",
}
"""By key of `[weights.ratescore]` what must be there."""


def ratescore(recipe: str) -> Mean:
    """RaTEScore with the released matrix `long` (default) or `short`.

    Raises:
        UsageError: There is no such recipe.
        UnavailableError: PyTorch, a network or the sentence rules are not here; all that are absent are named.
        InputError: A file is not what was released.
    """
    if (recipe or "long") not in MATRICES:
        raise UsageError(f"ratescore has no recipe {recipe!r}; there are {', '.join(MATRICES)}")
    named = {key: str(value) for key, value in config.weights("ratescore").items()}
    named.setdefault("rules", _installed_rules())
    absent = [Problem(f"ratescore needs {what}", f"Set `{key}` under `[weights.ratescore]` in config.toml")
              for key, what in NEEDED.items() if not named.get(key)]  # fmt: skip
    if absent:
        raise UnavailableError(absent)
    tagger, names, rules = (Path(named[key]).expanduser() for key in NEEDED)
    return load(tagger, names, rules, recipe or "long")


def _installed_rules() -> str:
    """The rules of an installed medspacy, which is not imported; empty where there is none."""
    try:
        found = [item for item in files("medspacy") or () if item.as_posix().endswith("resources/en/rush_rules.tsv")]
    except PackageNotFoundError:
        return ""
    return str(found[0].locate()) if found else ""


def load(tagger: Path, names: Path, rules: Path, recipe: str = "long", device: str = "") -> Mean:
    """RaTEScore by the networks and rules in these places."""
    from harness.metrics.ratescore.networks import Names, Tagger
    from harness.signature import digest

    known = read(rules)
    first, second = Tagger(tagger, device), Names(names, device)

    def measure(references: Sequence[str], candidates: Sequence[str]) -> Array:
        """One value a pair; an empty report has no entity, so its own pair gets 0.5 and no other pair moves."""
        by_text = _entities([*references, *candidates], first.tag, known)
        vectors = second.vectors([words for found in by_text.values() for words, _ in found])
        affinity: Affinity = MATRICES[recipe]
        pairs = zip(references, candidates, strict=True)
        return np.array([[score(by_text[one], by_text[other], vectors, affinity)] for one, other in pairs])

    marks = [first.digest, second.digest, rules.read_text(encoding="utf-8")]
    return Mean("ratescore", recipe, ("ratescore",), measure, fit_digest=digest(marks), limits=(-1.0, 1.0))


def _entities(
    texts: Sequence[str], tag: Callable[[Sequence[str]], dict[str, list[Entity]]], rules: SentenceRules
) -> dict[str, list[Entity]]:
    """By text its entities, sentence by sentence."""
    parts = {text: sentences(text, rules) for text in dict.fromkeys(texts)}
    found = tag([sentence for part in parts.values() for sentence in part])
    return {text: [entity for sentence in part for entity in found[sentence]] for text, part in parts.items()}
