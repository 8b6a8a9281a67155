"""Profiles, the command that lists them, and the page that must name every metric and recipe."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.metrics import REGISTRY, UNAVAILABLE, metric
from harness.metrics.profiles import BOARD, PROFILES, default_for, missing, profile, ways
from harness.metrics.text.tokens import STEPS
from harness.types import Input
from ranscore import commands

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def names_in_page() -> set[str]:
    """Everything that the page sets as code."""
    return set(re.findall(r"`([^`\n]+)`", PAGE.read_text(encoding="utf-8").replace("\\|", "|")))


def test_the_page_names_every_metric_way_step_and_profile() -> None:
    wanted = {*REGISTRY, *UNAVAILABLE, *STEPS, *PROFILES, *profile("all")} | {
        f"{name}:{way}" for name, each in ways().items() for way in each
    }
    assert sorted(wanted - names_in_page()) == []


def test_the_page_names_no_recipe_that_does_not_exist() -> None:
    """A spec on the page is a metric of the registry, and its way and steps can be read."""
    specs = {name for name in names_in_page() if re.fullmatch(r"(bleu|rouge-l|cider|cider-d):\S+\|\S+", name)}
    assert {f"{made.name}:{made.recipe}" for made in map(metric, specs)} == specs
    assert len(specs) > 10


@pytest.mark.parametrize("name", PROFILES)
def test_every_spec_of_a_profile_can_be_made_or_is_said_to_be_absent(name: str) -> None:
    lacking = missing(name)
    for spec in profile(name):
        if spec in lacking:
            assert spec.startswith("meteor") or not PROFILES[name].text
        else:
            made = metric(spec)
            assert (f"{made.name}:{made.recipe}" if made.recipe else made.name) == spec


def test_the_board_s_profile_is_the_default_and_needs_nothing() -> None:
    assert profile() == profile(BOARD)
    assert not [spec for spec in profile() if spec.startswith("meteor")]
    assert (default_for("en"), default_for("zh")) == (BOARD, "zh")


def test_all_is_every_spec_once() -> None:
    specs = profile("all")
    assert len(specs) == len(set(specs)) > 20
    assert {spec for name in PROFILES if PROFILES[name].text for spec in profile(name)} == set(specs)


@pytest.mark.parametrize(
    "call", [lambda: profile("nobody"), lambda: metric("bleu:coco"), lambda: metric("bleu:nobody|ptb"), lambda: metric("x")]
)
def test_what_does_not_exist_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        call()


def test_the_recipe_alone_moves_bleu_by_more_than_systems_differ(
    submitted: Callable[[str], tuple[list[str], list[str]]], as_inputs: Callable[[Sequence[str]], list[Input]]
) -> None:
    """The reason for recipes: one system's unchanged outputs, from the field's profiles."""
    sides = [as_inputs(side) for side in submitted("aamn-iu")]
    specs = ("bleu:coco|raw", "bleu:coco|ptb", "bleu:coco|r2gen-iu")
    scores = [float(made.score(made.rows(*sides).sum(axis=0))["bleu-4"]) for made in map(metric, specs)]
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] > 0.1


def test_the_command_lists_metrics_recipes_and_what_is_absent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("RANSCORE_METEOR_JAR", str(tmp_path / "none.jar"))
    assert commands.main(["metrics", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    here = {item["name"]: item["here"] for item in found["metrics"]}
    assert set(here) == {*REGISTRY, *UNAVAILABLE}
    assert "your own copy" in here["green"] and "none is named" in here["judge"]
    lacking = found["profiles"]["rexrank-2026"]["missing"]
    assert set(lacking) == set(profile("rexrank-2026")) - {"bleu:sentence|rexrank"}
    assert all("config.toml" in lacking[spec] and "\n" not in lacking[spec] for spec in ("ratescore:long", "green", "bertscore:rescaled"))
    assert here["bleu"] == here["cider"] == here["meteor-nltk"] == "yes"
    assert "needs Java" in here["meteor-1.5"]
    assert (found["ways"]["bleu"]["coco"]["here"], found["ways"]["meteor-1.5"]["jar"]["here"]) == ("yes", "no")
    assert commands.main(["metrics"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*REGISTRY, *STEPS, *PROFILES))


def test_the_light_metrics_import_nothing_but_numpy() -> None:
    """In a process of its own: no Java, no network, no nltk, no torch."""
    specs = [spec for spec in profile("all") if not spec.startswith("meteor-1.5") and "wordnet" not in spec] + ["meteor-nltk"]
    code = (
        "import sys, socket\n"
        "def refuse(*a, **k): raise RuntimeError('network')\n"
        "socket.socket.connect = refuse\n"
        "from harness.metrics import metric\n"
        "from harness.types import Input\n"
        f"for spec in {specs!r}:\n"
        "    side = [Input('a', 'The heart is normal.'), Input('b', 'No effusion 心影.')]\n"
        "    made = metric(spec).fit(side)\n"
        "    made.score(made.rows(side, side).sum(axis=0))\n"
        "heavy = {'nltk', 'torch', 'scipy', 'pandas', 'sklearn', 'sacrebleu', 'pycocoevalcap', 'rouge_score', 'subprocess'} & set(sys.modules)\n"
        "assert heavy <= {'subprocess'}, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
