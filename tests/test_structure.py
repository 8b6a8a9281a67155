"""The rooms of the project and what each may import."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("harness", "generators", "submissions", "leaderboard", "ranscore")
MAY_IMPORT = {
    "harness": {"harness"},
    "generators": {"harness", "generators"},
    "submissions": {"harness", "submissions"},
    "leaderboard": {"harness", "generators", "submissions", "leaderboard"},
    "ranscore": set(ROOMS),
}
WORDS = {"harness.types", "harness.errors", "harness.findings", "harness.signature"}
HEAVY = {"torch", "transformers", "gradio", "datasets", "ray", "vllm", "evaluate", "sklearn", "plotly", "pydicom"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the rooms with its dotted name."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), ast.parse(path.read_text())


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that a tree imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def at_top(tree: ast.Module) -> Iterator[str]:
    """What importing the module imports."""
    for node in tree.body:
        yield from imported(node) if isinstance(node, ast.Import | ast.ImportFrom) else ()


def test_imports_go_one_way() -> None:
    wrong = []
    for name, tree in modules():
        room = name.partition(".")[0]
        wrong += [
            f"{name} imports {other}"
            for other in imported(tree)
            if other.split(".")[0] in ROOMS and other.split(".")[0] not in MAY_IMPORT[room]
        ]
    assert wrong == []


def test_the_words_import_nothing_of_the_project_but_words() -> None:
    for name, tree in modules():
        if name in WORDS:
            assert {other for other in imported(tree) if other.startswith("harness")} <= WORDS


def test_heavy_packages_are_imported_at_the_top_only_in_the_file_that_is_about_them() -> None:
    """A file is about torch where it defines modules of it; the command, the words and the packages' own files never are."""
    wrong = []
    for name, tree in modules():
        heavy = {other.split(".")[0] for other in at_top(tree)} & HEAVY
        light = name.startswith("ranscore.commands") or name.count(".") == 0 or name in WORDS
        if heavy and (
            light
            or (
                heavy & {"gradio", "ray", "datasets", "evaluate"} - {name.split(".")[-1]}
                and not name.startswith(("leaderboard.page.app", "harness.hf_evaluate"))
            )
        ):
            wrong.append(f"{name} imports {', '.join(heavy)}")
    assert wrong == []


def test_command_modules_import_only_the_standard_library_and_the_shared_options() -> None:
    for name, tree in modules():
        if name.startswith("ranscore.commands."):
            body = [node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")]
            allowed = {"ranscore.commands", "ranscore.commands.options", "harness.errors"}
            assert {
                other
                for node in body
                if isinstance(node, ast.Import | ast.ImportFrom)
                for other in imported(node)
                if other.startswith(ROOMS)
            } <= allowed, name


def test_no_tracked_file_names_a_machine_path_or_a_registry() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    pattern = re.compile(
        rf"(?<![\w.:/])/(?:{'|'.join(('tmp', 'root', 'work'))})/\w|https?://\S+\.(?:whl|deb)\b|https?://\S+/simple\b|{'pypi' + '.org'}|{'files.python' + 'hosted'}"
    )
    found = []
    for name in listed:
        path = ROOT / name
        if path.suffix in {".png", ".npz", ".safetensors", ".parquet"} or not path.is_file():
            continue
        found += [
            f"{name}:{number}" for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1) if pattern.search(line)
        ]
    assert found == []
