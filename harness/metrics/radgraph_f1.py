"""RadGraph F1: entities and relations that two reports share (Jain et al. 2021; Delbrouck et al. 2022). Four scores carry the name.

The arithmetic on annotations is here. The model that annotates is the package `radgraph`, run by an interpreter of its own
(`[radgraph] python`), because its pins exclude ours.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness import config
from harness.errors import Problem, UnavailableError, UsageError
from harness.metrics.means import Mean, both_written
from harness.types import Array, Json

Annotate = Callable[[Sequence[str]], Sequence[Json]]
"""From texts, none of them blank, to annotations in order: `entities` by number, each with tokens, label and relations."""
MODELS = ("radgraph-xl", "radgraph", "modern-radgraph-xl")
DEFAULT = "partial|radgraph-xl"
"""RadEval's; the release's RadCliQ wants `rexrank|radgraph`."""
SCRIPT = Path(__file__).with_name("radgraph_annotate.py")


def entities(annotation: Json) -> set[Hashable]:
    """Every entity: words and label."""
    return {(entity["tokens"], entity["label"]) for entity in annotation["entities"].values()}


def partial(annotation: Json) -> set[Hashable]:
    """Every entity, with whether it has a relation."""
    return {(entity["tokens"], entity["label"], bool(entity["relations"])) for entity in annotation["entities"].values()}


def complete(annotation: Json) -> set[Hashable]:
    """Entities without a relation as they are; every relation in lower case with its label and the words of its target."""
    table = annotation["entities"]
    alone = {(entity["tokens"], entity["label"]) for entity in table.values() if not entity["relations"]}
    related = {
        (entity["tokens"].lower(), entity["label"], kind, table[target]["tokens"].lower())
        for entity in table.values()
        for kind, target in entity["relations"]
    }
    return alone | related


def relations(annotation: Json) -> set[Hashable]:
    """Every relation: both its ends with their labels, and its kind."""
    table = annotation["entities"]
    return {
        ((entity["tokens"], entity["label"]), (table[target]["tokens"], table[target]["label"]), kind)
        for entity in table.values()
        for kind, target in entity["relations"]
    }


def f1(reference: set[Hashable], candidate: set[Hashable]) -> float:
    """Twice what is shared over the sum of both; 0 where both are empty."""
    size = len(reference) + len(candidate)
    return 2 * len(reference & candidate) / size if size else 0.0


LEVELS: dict[str, tuple[Callable[[Json], set[Hashable]], ...]] = {
    "simple": (entities,),
    "partial": (partial,),
    "complete": (complete,),
    "rexrank": (entities, relations),
}
"""By level what is compared; the mean where there are two. `complete` is also called `all` and `ER`."""


def radgraph_f1(recipe: str) -> Mean:
    """RadGraph F1 by `LEVEL|MODEL`.

    Raises:
        UsageError: There is no such recipe.
        UnavailableError: No interpreter with the package `radgraph` is named.
    """
    level, _, model = (recipe or DEFAULT).partition("|")
    if level not in LEVELS or (model or MODELS[0]) not in MODELS:
        raise UsageError(f"radgraph-f1 has no recipe {recipe!r}: write LEVEL|MODEL, of {', '.join(LEVELS)} and {', '.join(MODELS)}")
    python = config.weights("radgraph").get("python")
    if not python:
        what = "RadGraph's model is not on this machine: the package radgraph and weights of StanfordAIMI/RRG_scorers, 0.5 GB or more"
        raise UnavailableError(
            Problem(
                what,
                "Install it in an environment of its own and set `python` under `[weights.radgraph]` in config.toml to that interpreter",
            )
        )
    model = model or MODELS[0]
    return with_annotator(level, model, lambda texts: ask(str(python), model, texts))


def with_annotator(level: str, model: str, annotate: Annotate) -> Mean:
    """RadGraph F1 by an annotator at hand."""

    def measure(references: Sequence[str], candidates: Sequence[str]) -> Array:
        """0 where a side is blank or has no entity, as published."""
        values = np.zeros((len(references), 1))
        places = both_written(references, candidates)
        texts = list(dict.fromkeys(side[place] for place in places for side in (references, candidates)))
        known = dict(zip(texts, annotate(texts) if texts else [], strict=True))
        values[places, 0] = [compare(known[references[place]], known[candidates[place]], level) for place in places]
        return values

    return Mean("radgraph-f1", f"{level}|{model}", ("f1",), measure)


def compare(reference: Json, candidate: Json, level: str) -> float:
    """The score of one pair of annotations."""
    if not reference["entities"] or not candidate["entities"]:
        return 0.0
    return float(np.mean([f1(view(reference), view(candidate)) for view in LEVELS[level]]))


def ask(python: str, model: str, texts: Sequence[str]) -> list[Json]:
    """Annotate by the package in another interpreter; texts go through a pipe and touch no file.

    Raises:
        UnavailableError: The interpreter fails, or answers with another number of annotations than texts.
    """
    remedy = f"Check that `{python} -c 'import radgraph'` runs and that its weights are there"
    try:
        command = [python, "-I", "-c", SCRIPT.read_text(encoding="utf-8")]  # -I: nothing beside this file or the caller's is imported
        asked = json.dumps({"model": model, "texts": list(texts)}).encode()
        done = subprocess.run(command, input=asked, capture_output=True, check=False)
        answer: Any = json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError) as error:
        raise UnavailableError(Problem(f"RadGraph's interpreter did not answer ({type(error).__name__})", remedy)) from None
    if not isinstance(answer, list) or len(answer) != len(texts) or not all(well_formed(item) for item in answer):
        what = f"RadGraph's interpreter ended with code {done.returncode} and without one annotation a text"
        raise UnavailableError(Problem(what, remedy))
    return answer


def well_formed(annotation: Any) -> bool:
    """Whether it has entities with tokens, label and relations that point to entities."""
    try:
        table = annotation["entities"]
        return all(
            isinstance(entity["tokens"], str)
            and isinstance(entity["label"], str)
            and all(target in table for _, target in entity["relations"])
            for entity in table.values()
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
