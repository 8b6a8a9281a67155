"""CRIMSON (2603.06183): findings weighted by urgency; what is right, less what is invented, over what the reference weighs.

Prompt from the user's own copy of github.com/rajpurkarlab/CRIMSON; the formula is that of its `_calculate_crimson`. Only JSON that can be read as it is
counts: the repairs of the published parser guess what a broken answer meant, and a guess is not an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import InputError, Problem, UsageError
from harness.metrics.judges.pack import Before, JudgePack, Message, Pass, UnreadableError, json_object
from harness.metrics.judges.sources import constants, source, system_message
from harness.types import Json

WEIGHTS = {"urgent": 1.0, "actionable_not_urgent": 0.5, "not_actionable_not_urgent": 0.25, "benign_expected": 0.0}
UNKNOWN = 0.25
"""The weight of a significance, or of the severity of an attribute's error, that the answer does not name."""
ATTRIBUTES = {"significant": 0.5, "negligible": 0.0}
COLUMNS = ("score", "invented", "missed", "attributes", "matched")
RECIPES = {"guidelines": True, "short": False}
"""With the guidelines, as large models are asked, or without, as the released MedGemma was trained."""
_TASK = ("TASK_STEPS", "CLINICAL_SIGNIFICANCE_LEVELS")
_EXAMPLES = ("SIGNIFICANCE_EXAMPLES",)
_RULES = ("SIGNIFICANCE_APPLICATION", "ATTRIBUTE_SEVERITY_LEVELS", "ERROR_CATEGORIES", "MATCHING_CRITERIA", "ATTRIBUTE_ERROR_INSTRUCTIONS")
_GUIDELINES = ("ATTRIBUTE_SEVERITY_GUIDELINES",)
_FORM = ("OUTPUT_FORMAT", "IMPORTANT_NOTES")


def pack(recipe: str) -> JudgePack:
    """CRIMSON, asked in the words of the user's copy.

    Raises:
        UsageError: There is no such recipe.
        UnavailableError: No copy is named.
        InputError: It is another program.
    """
    if (recipe or "guidelines") not in RECIPES:
        raise UsageError(f"crimson has no recipe {recipe!r}; there are {', '.join(RECIPES)}")
    return of(source("crimson", "github.com/rajpurkarlab/CRIMSON (MIT)", "CRIMSON/prompt_parts.py"), recipe or "guidelines")


def of(path: Path, recipe: str = "guidelines") -> JudgePack:
    """CRIMSON with the prompt in this file."""
    parts, full = constants(path), RECIPES[recipe]
    names = ("OBJECTIVE", *_TASK, *(_EXAMPLES if full else ()), *_RULES, *(_GUIDELINES if full else ()), *_FORM)
    lacking = [name for name in names if name not in parts]
    if lacking:
        raise InputError(Problem(f"it has no text named {', '.join(lacking)}", "Give the released CRIMSON/prompt_parts.py", str(path)))

    system = system_message(path.with_name("generate_score.py"))

    def messages(reference: str, candidate: str, _: Before) -> list[Message]:
        pair = [f"Reference Findings (Ground Truth):\n{reference}", f"Predicted Findings (Candidate):\n{candidate}"]
        said = [parts["OBJECTIVE"], *pair, *(parts[name] for name in names[1:])]
        return [{"role": "system", "content": system}, {"role": "user", "content": "\n\n".join(part for part in said if part)}]

    step = Pass(name="crimson", messages=messages, read=lambda text, _: read(text))
    return JudgePack(
        name="crimson", recipe=recipe, passes=(step,), row=lambda before: before[0], columns=COLUMNS, limits=(-1.0, 1.0),
        max_tokens=8192, framing="raw",
    )  # fmt: skip


def read(text: str) -> dict[str, float]:
    """Score and counts of an answer.

    Raises:
        UnreadableError: It is not the JSON that was asked for.
    """
    start, end = text.find("{"), text.rfind("}")
    found = json_object(text[start : end + 1])
    try:
        return weigh(found)
    except (KeyError, TypeError, AttributeError):
        raise UnreadableError("a part of it has another form") from None


def weigh(found: Json) -> dict[str, float]:
    """The published formula."""
    errors, matched = found["errors"], found["matched_findings"]
    reference, candidate = ({item["id"]: _weight(item) for item in found[side]} for side in ("reference_findings", "predicted_findings"))
    invented, missed = errors.get("false_findings", []), errors.get("missing_findings", [])
    attributes = errors.get("attribute_errors", [])
    false = sum(candidate.get(each, 0.0) for each in invented)
    gone = sum(reference.get(each, 0.0) for each in missed)
    total = sum(_weight(item) for item in found["reference_findings"])
    if not found["reference_findings"]:
        total = len(matched) + gone
    right = _right(matched, attributes, reference)
    counts = {"invented": len(invented), "missed": len(missed), "attributes": len(attributes), "matched": len(matched)}
    return {"score": _score(right, false, gone, total), **counts}


def _weight(item: Json) -> float:
    return WEIGHTS.get(item.get("clinical_significance", ""), UNKNOWN)


def _right(matched: list[Json], attributes: list[Json], reference: Mapping[Any, float]) -> float:
    """The weight of what matches, each finding once, less what its attributes get wrong."""
    right, seen = 0.0, set()
    for name in (item.get("ref_id") for item in matched):
        if name in seen:
            continue
        seen.add(name)
        weight = reference.get(name, 0.0)
        own = [item for item in attributes if item.get("ref_id") is not None and item.get("ref_id") == name]
        wrong = sum(ATTRIBUTES.get(item.get("severity", ""), UNKNOWN) for item in own)
        right += weight * (weight / (weight + wrong) if weight + wrong > 0 else 0.0) if own else weight
    return right


def _score(right: float, false: float, gone: float, total: float) -> float:
    """Between -1 and 1, to four places, as published."""
    share = (1.0 if false == 0 and gone == 0 else -(false + gone + 1)) if total == 0 else (right - false) / total
    excess = false - right
    if share >= 0:
        return round(share, 4)
    return round(-excess / (1 + excess), 4) if excess > 0 else 0.0
