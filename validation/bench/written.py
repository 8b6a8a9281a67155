"""The pairs of a second hand: written without sight of the lexicon and of the phrases of the synthetic cohort.

Half of them may be looked at when something is built. The other half is held out: it is scored, and decides nothing.
"""

from __future__ import annotations

import json
from importlib import resources

from validation.bench.kinds import SAME
from validation.bench.pairs import BenchPair

SHOWN, HELD_OUT = "second-hand", "held-out"


def pairs(language: str, held_out: bool = False) -> tuple[BenchPair, ...]:
    """One half of the written pairs of a language, each reference with itself first.

    Args:
        language: `en` or `zh`.
        held_out: The half that is never used in a choice.
    """
    found = []
    for line in resources.files("validation.bench").joinpath("written", f"{language}.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        if item["held_out"] is held_out:
            source = HELD_OUT if held_out else SHOWN
            name, text = item["id"], item["text"]
            found.append(BenchPair(f"{name}/same", name, SAME.name, text, text, language, source, False))
            for number, (kind, significant, old, new) in enumerate(item["edits"]):
                found.append(BenchPair(f"{name}/{number}", name, kind, text, text.replace(old, new), language, source, significant))
    return tuple(found)
