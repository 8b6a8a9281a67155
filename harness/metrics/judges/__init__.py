"""Judges: metrics for which a language model counts the errors of a report. Each is a pack; client, cache and data rule are shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness import config
from harness.errors import Problem, UnavailableError, UsageError
from harness.metrics.judges.metric import JudgeMetric
from harness.metrics.judges.pack import JudgePack
from harness.types import Access


def own_judge(recipe: str) -> JudgeMetric:
    """The project's own judge by `LANGUAGE|PASSES`; `en|one-pass` by default.

    Raises:
        UsageError: There is no such recipe.
        UnavailableError: No model is named.
    """
    from harness.metrics.judges import ours

    language, _, passes = (recipe or "en|one-pass").partition("|")
    return served(ours.pack(language, passes or "one-pass"))


def green_judge(recipe: str) -> JudgeMetric:
    """GREEN; errors as for `own_judge`."""
    from harness.metrics.judges.green import pack

    return served(_plain(recipe, "green", pack))


def crimson_judge(recipe: str) -> JudgeMetric:
    """CRIMSON, `guidelines` (default) or `short`; errors as for `own_judge`."""
    from harness.metrics.judges.crimson import pack

    return served(pack(recipe))


def _plain(recipe: str, name: str, pack: Callable[[str], JudgePack]) -> JudgePack:
    if recipe:
        raise UsageError(f"{name} has no recipe {recipe!r}: it has one definition")
    return pack(recipe)


def served(pack: JudgePack) -> JudgeMetric:
    """A pack asked of the model and the servers of `[judge]` in config.toml; texts count as credentialed until `permitted` says otherwise.

    Raises:
        UnavailableError: No model is named.
    """
    from harness.extractors.llm.endpoint import endpoints
    from harness.extractors.llm.protocol import find
    from harness.metrics.judges.asking import Judge

    named = config.table("judge")
    if not named.get("model"):
        what = f"{pack.name} asks a language model, and none is named"
        raise UnavailableError(Problem(what, "Serve one, and set `model` and `endpoint` under `[judge]` in config.toml"))
    urls = named.get("endpoint", ())
    servers = endpoints((urls,) if isinstance(urls, str) else tuple(urls), Access.OPEN)  # checked where texts are sent
    limit = int(named.get("limit", 0))
    servers = tuple(replace(one, limit=limit or one.limit) for one in servers)
    made = Judge(pack, find(str(named["model"]), str(named.get("revision", ""))), servers)
    return JudgeMetric(made)
