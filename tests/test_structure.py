"""The rooms of the project and what each may import."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS: dict[str, set[str]] = {
    "harness": set(),
    "generators": {"harness"},
    "submissions": {"harness"},
    "validation": {"harness"},
    "leaderboard": {"harness", "generators", "submissions", "validation"},
    "ranscore": {"harness", "generators", "submissions", "validation", "leaderboard"},
}
"""By room what it may import beside itself."""
SYSTEMS = ("rgrg", "promptmrg", "r2gengpt", "xraygpt", "libra", "llm_rg4", "maira2", "cxrmate2", "chat_models")
INSIDE: dict[str, dict[str, set[str]]] = {
    "harness": {
        "networks": set(),
        "formats": set(),
        "statistics": set(),
        "cohorts": {"formats"},
        "extractors": {"formats", "networks"},
        "metrics": {"extractors", "networks"},
        "labelling": {"extractors", "formats"},
        "records": {"cohorts", "metrics", "statistics"},
        "scoring": {"cohorts", "extractors", "formats", "metrics", "records", "statistics"},
        "hf_evaluate": {"ran_score"},
        "ran_score": {"extractors", "metrics", "statistics"},
    },
    "generators": {
        "blocks": set(),
        "running": set(),
        **{name: {"blocks"} for name in SYSTEMS},
        "adapters": {"blocks"},
        "baseline": {"running"},
        "bounds": {"baseline", "running"},
        "cards": {"baseline", "bounds", "running"},
    },
    "leaderboard": {
        "html": set(),
        "hub": set(),
        "films": set(),
        "exports": {"html"},
        "views": {"exports", "html"},
        "page": {"exports", "films", "html", "hub", "views"},
        "static_site": {"exports", "html", "views"},
    },
    "validation": {"readers": set(), "extractors": {"readers"}, "workbench": {"extractors", "readers"}, "bench": {"readers"}},
    "ranscore": {"fetching": set(), "commands": {"fetching"}, "__main__": {"commands"}},
    "submissions": {},
}
"""By room, and by folder or file in it, which of the others named here it may import. A file that is not named may import none of them, and all may import it."""
"""Folders that are one idea in two files: as a file, they may be imported by all of their room and import none of the others."""
COMMON = {"harness": {"config", "films", "storage"}}
"""By room the folders that may import none of those above, and that all of the room may import."""
ENTRIES = {"harness": 24, "generators": 20, "leaderboard": 14}
"""How many files and folders somebody sees who opens a room."""
WORDS = {"harness.types", "harness.errors", "harness.findings", "harness.quiet", "harness.signature"}
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


def of_the_project(tree: ast.AST) -> set[str]:
    """The project's modules that a tree imports: `from a import b` is a.b where that is a module."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {name if (name := f"{node.module}.{alias.name}") in NAMES else node.module for alias in node.names}
    return found & NAMES


NAMES = {name for name, _ in modules()}
GRAPH = {name: of_the_project(tree) - {name} for name, tree in modules()}


def test_rooms_import_only_from_floors_below() -> None:
    wrong = []
    for name, others in GRAPH.items():
        room = name.partition(".")[0]
        wrong += [f"{name} imports {other}" for other in others if other.partition(".")[0] not in ROOMS[room] | {room}]
    assert wrong == []


def test_folders_of_a_room_import_only_what_the_table_allows() -> None:
    wrong = []
    for name, others in GRAPH.items():
        room, _, rest = name.partition(".")
        inside = INSIDE[room]
        own = rest.partition(".")[0]
        for other in others:
            room_of, _, rest_of = other.partition(".")
            there = rest_of.partition(".")[0]
            if room_of == room and there in inside and there != own and there not in inside.get(own, set()) and rest:
                wrong.append(f"{name} imports {other}")
    assert wrong == []


def test_every_folder_of_a_room_is_in_the_table() -> None:
    for room, inside in INSIDE.items():
        folders = {path.parent.name for path in (ROOT / room).glob("*/__init__.py")}
        assert folders <= set(inside) | COMMON.get(room, set()), room


def test_there_is_no_circle_of_imports() -> None:
    left = dict(GRAPH)
    while ready := {name for name, others in left.items() if not others & set(left)}:
        left = {name: others for name, others in left.items() if name not in ready}
    assert sorted(left) == []


def test_a_room_can_be_seen_at_a_glance() -> None:
    for room, most in ENTRIES.items():
        entries = {path.name for path in (ROOT / room).iterdir()} - {"__pycache__"}
        assert len(entries) <= most, (room, sorted(entries))


def test_files_and_functions_stay_short() -> None:
    long = []
    for name, tree in modules():
        long += [name] if max((node.end_lineno or 0 for node in tree.body), default=0) > 400 else []
        long += [
            f"{name}:{node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
        ]
    assert long == []


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
                and not name.startswith(("leaderboard.page.", "harness.hf_evaluate"))
            )
        ):
            wrong.append(f"{name} imports {', '.join(heavy)}")
    assert wrong == []


def test_command_modules_import_only_the_standard_library_and_the_shared_options() -> None:
    for name, tree in modules():
        if name.startswith("ranscore.commands."):
            body = [node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")]
            allowed = {"ranscore.commands", "ranscore.commands.options", "harness.errors", "harness.registry"}
            assert {
                other
                for node in body
                if isinstance(node, ast.Import | ast.ImportFrom)
                for other in imported(node)
                if other.startswith(tuple(ROOMS))
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


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for name, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(name)
    assert len(places) > 300
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
