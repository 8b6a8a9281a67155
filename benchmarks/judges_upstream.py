"""Parsers and formulas of judges against the published ones, on generated answers, and prompts byte for byte.

    python -m benchmarks.judges_upstream GREEN CRIMSON [ANSWERS]

GREEN and CRIMSON are your own copies of Stanford-AIMI/GREEN and rajpurkarlab/CRIMSON. Their functions are taken out of the files and run here, so
use copies that you trust. Answers are well formed, odd or cut, drawn from seed 1. The comparison is over every answer that ours reads; the others are those
for which theirs counts a failure as a score, guesses, or fails too.
"""

from __future__ import annotations

import ast
import json
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harness.metrics.judges import crimson, green
from harness.metrics.judges.pack import UnreadableError

ANSWERS = 10_000
REPORTS = ("The  heart is large.\nNo effusion {x}.", 'Clear \\ lungs; "normal" heart.', "word " * 400)


def functions(path: Path, *names: str, **known: Any) -> SimpleNamespace:
    """The functions or methods of those names, compiled out of a file, with all texts that it gives at its top level."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
    chosen = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in names]
    place: dict[str, Any] = {"re": re, "json": json, **known}
    exec(compile(ast.Module([*plain, *chosen], []), str(path), "exec"), place)
    return SimpleNamespace(**{name: place[name] for name in names})


def green_answer(chance: random.Random) -> str:
    """An answer in GREEN's form, with some of its parts missing, renamed or damaged."""
    parts = ["[Explanation]:\nWords.\n"] if chance.random() < 0.9 else []
    for name in ("Clinically Significant Errors", "Clinically Insignificant Errors"):
        kinds = chance.sample("abcdef" if chance.random() < 0.8 else "123456", chance.randint(0, 6))
        form = "({}) Kind: {}. one; two" if chance.random() < 0.9 else "({}) Kind {} one"
        lines = [form.format(kind, chance.randint(0, 12)) for kind in kinds]
        parts.append(
            f"[{name}]:\n" + ("\n".join(lines) if lines and chance.random() < 0.9 else chance.choice(["No errors.", "None", ""])) + "\n"
        )
    parts.append("[Matched Findings]:\n" + chance.choice([f"{chance.randint(0, 9)}. a; b", "No matched findings.", "a; b", "", "3 a"]))
    parts = [part for part in parts if chance.random() < 0.95]
    text = "\n".join(parts)
    return text if chance.random() < 0.8 else text[: chance.randint(0, len(text))] + chance.choice(["", "</s>", "<|assistant|>"])


def crimson_answer(chance: random.Random) -> str:
    """An answer in CRIMSON's form, with some of its parts missing or of another kind, in a fence or not, whole or cut."""
    levels = [*crimson.WEIGHTS, "odd"]
    sides = [[{"id": f"{mark}{n}", "clinical_significance": chance.choice(levels)} for n in range(chance.randint(0, 6))] for mark in "RP"]
    names = [[item["id"] for item in side] + ["R99"] for side in sides]
    wrong = [
        {"ref_id": chance.choice([*names[0], None]), "severity": chance.choice([*crimson.ATTRIBUTES, "odd"]), "error_types": ["location"]}
        for _ in range(chance.randint(0, 4))
    ]
    matched = [{"ref_id": chance.choice(names[0]), "pred_id": chance.choice(names[1])} for _ in range(chance.randint(0, 6))]
    errors: dict[str, Any] = {
        "false_findings": chance.sample(names[1], chance.randint(0, len(names[1]))),
        "missing_findings": chance.sample(names[0], chance.randint(0, len(names[0]))),
        "attribute_errors": wrong,
    }
    errors = {key: value for key, value in errors.items() if chance.random() < 0.97}
    found = {"reference_findings": sides[0], "predicted_findings": sides[1], "matched_findings": matched, "errors": errors}
    found = {key: value for key, value in found.items() if chance.random() < 0.98}
    text = json.dumps(found)
    text = chance.choice([text, text, f"```json\n{text}\n```", f"Here it is: {text}"])
    return text if chance.random() < 0.9 else text[: chance.randint(0, len(text))]


def compare(name: str, answers: list[str], ours: Callable[[str], float], theirs: Callable[[str], float]) -> None:
    """Print how many answers ours reads, the largest difference among them, and what theirs makes of the others."""
    largest, read, scored, zeros, cpu = 0.0, 0, 0, 0, 0.0
    for text in answers:
        start = time.process_time()
        try:
            own: float | None = ours(text)
        except UnreadableError:
            own = None
        cpu += time.process_time() - start
        try:
            other: float | None = float(theirs(text))
        except Exception:  # theirs raises what it likes on an odd answer
            other = None
        if own is not None:
            read += 1
            largest = max(largest, abs(own - other) if other is not None else float("inf"))
        elif other is not None:
            scored += 1
            zeros += other == 0
    print(f"{name}: {read} of {len(answers)} answers read, largest difference {largest:.1e}; of the {len(answers) - read} unreadable ones")
    print(f"  theirs scores {scored}, {zeros} of them 0. {cpu / len(answers) * 1000:.3f} ms of processor time an answer")


def check_green(copy: Path, answers: int) -> None:
    """GREEN."""
    code = functions(copy / "green_score" / "green.py", "compute_green", "parse_error_counts")
    texts = functions(copy / "green_score" / "utils.py", "make_prompt", "clean_responses")
    categories = ["Clinically Significant Errors", "Clinically Insignificant Errors", "Matched Findings"]
    it = SimpleNamespace(categories=categories, sub_categories=[f"({letter}) x" for letter in "abcdef"])
    it.parse_error_counts = lambda text, category: code.parse_error_counts(it, text, category)
    step = green.of(copy / "green_score" / "utils.py").passes[0]
    same = all(step.messages(a, b, ())[0]["content"] == texts.make_prompt(a, b) for a in REPORTS for b in REPORTS)
    print(f"GREEN: prompts of {len(REPORTS) ** 2} pairs byte for byte: {same}")
    chance = random.Random(1)
    drawn = [green_answer(chance) for _ in range(answers)]
    compare(
        "GREEN",
        drawn,
        lambda text: green.row([green.read(text)])["score"],
        lambda text: code.compute_green(it, texts.clean_responses(text)),
    )


def check_crimson(copy: Path, answers: int) -> None:
    """CRIMSON."""
    code = functions(copy / "CRIMSON" / "generate_score.py", "_calculate_crimson")
    parts = functions(copy / "CRIMSON" / "prompt_parts.py", "build_prompt")
    step = crimson.of(copy / "CRIMSON" / "prompt_parts.py").passes[0]
    same = all(step.messages(a, b, ())[1]["content"] == parts.build_prompt(a, b) for a in REPORTS for b in REPORTS)
    print(f"CRIMSON: prompts of {len(REPORTS) ** 2} pairs byte for byte: {same}")

    def theirs(text: str) -> float:
        found = json.loads(text[text.find("{") : text.rfind("}") + 1])
        return float(code._calculate_crimson(None, found)["crimson_score"])

    chance = random.Random(1)
    compare("CRIMSON", [crimson_answer(chance) for _ in range(answers)], lambda text: crimson.read(text)["score"], theirs)


if __name__ == "__main__":
    count = int(sys.argv[3]) if len(sys.argv) > 3 else ANSWERS
    check_green(Path(sys.argv[1]), count)
    check_crimson(Path(sys.argv[2]), count)
