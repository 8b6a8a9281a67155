"""The built wheel holds all that it needs, and works in an environment that holds nothing of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as a release is, but in this environment, so that no network is needed."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in listed:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def test_it_holds_the_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    data = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    rooms = ("ranscore/", "harness/", "generators/", "leaderboard/", "submissions/", "validation/")
    wanted = {name for name in data if name.startswith(rooms) and not name.endswith(".md")}
    assert wanted - set(names) == set()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} <= {room.rstrip("/") for room in rooms}


def test_it_scores_where_only_the_core_is_installed(wheel: Path, tmp_path: Path) -> None:
    """The environment is empty but for this wheel; the packages it depends on are those of this one, without the page's."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "sitecustomize.py").write_text(
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'gradio', 'datasets', 'huggingface_hub', 'pyarrow', 'torch', 'transformers', 'ray', 'pydicom', 'sklearn', 'PIL'}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(site), "RANSCORE_HOME": str(tmp_path / "home")}
    words = ["score", str(ROOT / "examples" / "predictions.csv"), "--references", str(ROOT / "examples" / "references.csv"), "--open"]
    done = subprocess.run(
        [sys.executable, "-m", "ranscore", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ran-score" in done.stdout and "120 of 120" in done.stdout
    page = subprocess.run(
        [sys.executable, "-m", "ranscore", "serve"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert page.returncode == 4 and "needs gradio" in page.stderr and "pip install 'ranscore[board]'" in page.stderr
