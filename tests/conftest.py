"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[1]
TOGETHER = {
    "servers": ("tests/extractors/test_servers.py",),
    "door": tuple(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "tests" / "door").glob("test_*.py"))),
    "ray": ("tests/test_on_ray.py", "tests/test_corpus.py", "tests/generators/test_killed.py", "tests/extractors/test_leaks.py"),
}
"""Files that share a model server, the pages of the door or Ray: one worker runs them, so that each is started once and never twice."""
GROUPS = {name: group for group, names in TOGETHER.items() for name in names}
LONG = (
    "tests/cli/test_card.py",
    "tests/board/test_slow_visitors.py",
    "tests/damage/test_damage.py",
    "tests/submissions/test_privacy_screen.py",
    "tests/browser/test_page.py",
)
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


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """One worker runs all tests of a file, so that what a file prepares is prepared once; groups of files likewise."""

    def _split_scope(self, nodeid: str) -> str:
        name = nodeid.partition("::")[0]
        return GROUPS.get(name, name)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """How tests are spread over the workers. Groups named by marks are not used: pytest 9.2 does not show them to xdist 3.8."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with what takes longest, so that no worker is left alone with it at the end."""
    first = (*GROUPS, *LONG)
    rank = {name: number for number, name in enumerate(first)}
    items.sort(key=lambda item: rank.get(item.path.relative_to(ROOT).as_posix(), len(first)))
