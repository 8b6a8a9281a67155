"""Reads published prompts out of the user's own copy of a program, as data: the file is parsed, and nothing in it is executed."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from harness import config
from harness.errors import InputError, Problem, UnavailableError

LARGEST = 2_000_000


def source(name: str, what: str, file: str) -> Path:
    """The file that `[weights.NAME] source` names.

    Args:
        name: The metric.
        what: The repository, for the message.
        file: The file inside it.

    Raises:
        UnavailableError: None is named, or it is not there.
    """
    named = str(config.weights(name).get("source", ""))
    path = Path(named).expanduser()
    if not named or not path.is_file():
        remedy = f"Clone it, and set `source` under `[weights.{name}]` in config.toml to its {file}"
        raise UnavailableError(Problem(f"{name} reads its prompt from your own copy of {what}", remedy, named))
    return path


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file.

    Raises:
        InputError: It is not Python, or too long.
    """
    try:
        data = path.read_bytes()
        if len(data) > LARGEST:
            raise ValueError("too long")
        return ast.parse(data.decode("utf-8"))
    except (OSError, ValueError, SyntaxError, RecursionError) as error:
        raise InputError(Problem(f"it cannot be read as Python ({type(error).__name__})", "Give the released file", str(path))) from None


def constants(path: Path) -> dict[str, str]:
    """By name every text that the file gives at its top level."""
    found = {}
    for node in parsed(path).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found.update({target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)})
    return found


def template(path: Path, function: str, variable: str) -> list[tuple[bool, str]]:
    """The pieces of the formatted text that a function puts into a variable: whether each is the name of a slot, and the piece.

    Raises:
        InputError: There is no such function, or its text is put together in another way.
    """
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            for line in ast.walk(node):
                named = isinstance(line, ast.Assign) and any(isinstance(one, ast.Name) and one.id == variable for one in line.targets)
                if named and isinstance(line, ast.Assign) and isinstance(line.value, ast.JoinedStr):
                    return [_piece(part, path) for part in line.value.values]
    raise InputError(Problem(f"it has no function {function} that formats a text {variable}", "Give the released file", str(path)))


def _piece(part: ast.expr, path: Path) -> tuple[bool, str]:
    if isinstance(part, ast.Constant):
        return False, str(part.value)
    if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name) and part.format_spec is None and part.conversion == -1:
        return True, part.value.id
    raise InputError(Problem("its text is put together in an unknown way", "Give the released file", str(path)))


def filled(pieces: list[tuple[bool, str]], values: Mapping[str, str]) -> str:
    """A template with its slots filled."""
    return "".join(values[piece] if slot else piece for slot, piece in pieces)


def system_message(path: Path) -> str:
    """The first system message that a file spells out in a chat.

    Raises:
        InputError: There is none, or the file is not there.
    """
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Dict) and all(isinstance(part, ast.Constant) for part in (*node.keys, *node.values)):
            found = ast.literal_eval(node)
            if found.get("role") == "system":
                return str(found["content"])
    raise InputError(Problem("it spells out no system message", "Give the released file", str(path)))
