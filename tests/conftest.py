"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

TOGETHER = {
    "servers": ("tests/extractors/test_servers.py",),
    "ray": ("tests/test_on_ray.py", "tests/test_corpus.py", "tests/generators/test_killed.py", "tests/extractors/test_leaks.py"),
}
"""Files that share a model server or start Ray: one worker runs them, so that each is started once and never twice at a time."""
ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own folder."""
    monkeypatch.setenv("RANSCORE_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real public reports, generator outputs and films, which is not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("the folder shared/data with real public reports is not beside this checkout")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker run all tests of a file, so that what a file prepares is prepared once, and start with what takes longest."""
    groups = {name: group for group, names in TOGETHER.items() for name in names}
    for item in items:
        name = item.path.relative_to(ROOT).as_posix()
        item.add_marker(pytest.mark.xdist_group(groups.get(name, name)))
    items.sort(key=lambda item: not item.path.relative_to(ROOT).as_posix().startswith(tuple(groups)))
