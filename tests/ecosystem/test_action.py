"""The steps of the GitHub action, run as a runner runs them: with bash, and with the inputs in the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
REPORTS, REFERENCES = str(ROOT / "examples" / "predictions.csv"), str(ROOT / "examples" / "references.csv")


def step(name: str, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """A step with the values of its variables, `ranscore` and a `gh` that writes down what it is asked."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for program, line in (("ranscore", f'exec "{sys.executable}" -m ranscore "$@"'), ("gh", f'echo "$@" >> "{folder}/asked"')):
        (programs / program).write_text(f"#!/bin/bash\n{line}\n")
        (programs / program).chmod(0o755)
    assert set(given) == set(STEPS[name]["env"])
    environment = {
        **os.environ,
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RANSCORE_HOME": str(folder / "home"),
        "RUNNER_TEMP": str(folder),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        **given,
    }
    return subprocess.run(["bash", "-c", STEPS[name]["run"]], env=environment, cwd=folder, capture_output=True, text=True, check=False)


def scored(folder: Path, reports: str = REPORTS, minimum: str = "0") -> subprocess.CompletedProcess[str]:
    return step("Validate and score", folder, REPORTS=reports, REFERENCES=REFERENCES, COHORT="", MINIMUM=minimum)


def test_a_file_is_scored_and_commented(tmp_path: Path) -> None:
    done = scored(tmp_path)
    assert done.returncode == 0, done.stderr
    name, _, value = (tmp_path / "output").read_text().strip().partition("=")
    assert name == "ran-score" and 0.3 < float(value) < 1
    summary = (tmp_path / "summary").read_text()
    assert summary.startswith("### Ran Score\n```\n") and summary.endswith("```\n") and f"{float(value):.3f}" in summary
    assert step("Comment", tmp_path, GH_TOKEN="x", NUMBER="7", REPOSITORY="ann/birch").returncode == 0
    assert (tmp_path / "asked").read_text() == f"pr comment 7 --repo ann/birch --body-file {tmp_path}/ran-score/table.md\n"


def test_a_low_score_fails_after_the_table_is_written(tmp_path: Path) -> None:
    done = scored(tmp_path, minimum="0.999")
    assert done.returncode == 1 and "is below 0.999" in done.stderr
    assert (tmp_path / "summary").read_text().startswith("### Ran Score")


def test_a_wrong_file_fails_and_nothing_is_commented(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("study_id,report\nnobody,The heart is enlarged.\n")
    assert scored(tmp_path, str(wrong)).returncode != 0
    assert step("Comment", tmp_path, GH_TOKEN="x", NUMBER="7", REPOSITORY="ann/birch").returncode == 0
    assert not (tmp_path / "asked").exists() and not (tmp_path / "output").exists()


@pytest.mark.parametrize("reports", ["$(touch owned); touch owned", "--help"])
def test_an_input_is_never_run(tmp_path: Path, reports: str) -> None:
    done = scored(tmp_path, reports)
    assert done.returncode != 0 and not (tmp_path / "owned").exists()
    assert all("${{" not in each["run"] for each in STEPS.values())
