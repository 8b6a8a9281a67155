"""Looking at a Python file by its syntax tree, without running it: what is assigned, returned, called, and with which defaults."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from harness.errors import Problem


@dataclass(slots=True)
class ScriptReader:
    """The file being read, and what is wrong with it so far."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, what: str, node: ast.AST | None = None) -> None:
        """Note a difference, with its line where it has one."""
        self.problems.append(Problem(what, "Import the script as the authors released it", self.file, getattr(node, "lineno", None)))


def assigned(tree: ast.Module, name: str) -> list[ast.expr]:
    """What is assigned to a name at the top of the module."""
    found: list[ast.expr] = []
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None and any(isinstance(target, ast.Name) and target.id == name for target in targets):
            found.append(value)
    return found


def once(reader: ScriptReader, tree: ast.Module, name: str) -> ast.expr | None:
    """What is assigned to a name once, and never changed; anything else is a problem."""
    found = assigned(tree, name)
    if len(found) != 1:
        reader.wrong(f"{name} is assigned {len(found)} times, not once", found[-1] if found else None)
        return None
    if touched := [node for node in ast.walk(tree) if changes(node, name)]:
        reader.wrong(f"{name} is changed after it was assigned", touched[0])
    return found[0]


def changes(node: ast.AST, name: str) -> bool:
    """Whether a node writes into the object of that name, or calls a method of it that could."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id == name and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
        return node.attr not in ("items", "keys", "values", "get")
    if isinstance(node, ast.AugAssign | ast.Global | ast.NamedExpr):
        names = node.names if isinstance(node, ast.Global) else [getattr(node.target, "id", "")]
        return name in names
    return False


def plain_function(reader: ScriptReader, tree: ast.Module, name: str) -> ast.FunctionDef | None:
    """The one function of that name, without decorators; anything else is a problem."""
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if len(found) != 1 or found[0].decorator_list:
        reader.wrong(f"there is not exactly one plain function {name}", found[-1] if found else None)
        return None
    return found[0]


def only_return(function: ast.FunctionDef) -> ast.expr | None:
    """What a function returns that does nothing else (a docstring aside)."""
    body = [node for node in function.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    return body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None


def arguments(function: ast.FunctionDef) -> list[ast.arg]:
    """A function's named arguments."""
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def writes(node: ast.AST) -> list[tuple[str, str]]:
    """The names a statement writes into, and what it writes."""
    if isinstance(node, ast.Assign):
        return [(ast.unparse(target), ast.unparse(node.value)) for target in node.targets]
    if isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        return [(ast.unparse(node.target), ast.unparse(node.value))]
    return [(ast.unparse(node.target), "")] if isinstance(node, ast.AugAssign) else []


def defaults(tree: ast.Module, name: str) -> list[object]:
    """Defaults of a function's keyword-only argument of that name."""
    found: list[object] = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            pairs = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
            found.extend(number(default) for argument, default in pairs if argument.arg == name and default is not None)
    return found


def option(tree: ast.Module, flag: str) -> object:
    """The default of a command-line option; None where there is none, or not one."""
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".add_argument") and node.args and string(node.args[0]) == flag
    ]
    if len(calls) != 1:
        return None
    default = next((keyword.value for keyword in calls[0].keywords if keyword.arg == "default"), None)
    return default.value if isinstance(default, ast.Constant) else None


def string(node: ast.expr | None) -> str | None:
    """A text that is written out; None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def number(node: ast.expr | None) -> object:
    """The value of anything written out; None for anything else."""
    return node.value if isinstance(node, ast.Constant) else None
