"""The older shape of the authors' scripts: one function asks about a report, finding by finding, and fills a table of labels.

Guidance texts go through `str.format`, as the script does it. What the script does not say of its decoding is left to the server.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from string import Formatter

from harness.extractors.llm import protocol
from harness.extractors.llm.pack import AnswerDecoding, PackQuestion
from harness.extractors.llm.pack_script import SETTINGS, Script, frame, only_call, questions, sent, system_message
from harness.extractors.llm.syntax import ScriptReader, arguments, changes, number, plain_function, string, writes
from harness.findings import NO_FINDING, RAN_21, by_spelling

FUNCTION = "model_predict"
TEMPLATE_SWITCH = "thinking is switched off in the chat template too; the script does it by /no_think in its text alone"
OTHER_NAME = "the model is asked for by its public name instead of its path on the authors' machine"
_VALUES = {
    "data_dict": {"{key: 0 for key in prompt_templates.keys()}"},
    "content": {"{}"},
    "prompt_template": {"prompt_templates[key]"},
    "detection_result": {"response.choices[0].message.content.strip()"},
    "content[key]": {"detection_result"},
    "match": {"re.search('(1|0)', detection_result)"},
    "data_dict[key]": {"int(match.group(1))", "0"},
    f"data_dict[{NO_FINDING!r}]": {"1", "0"},
}
"""What is written into each name between a report and its labels; the texts, the message and the call are read apart."""
_APART = {"prompt_templates", "prompt", "response"}
_TESTS = {
    f"key != {NO_FINDING!r}": None,
    "match": ("data_dict[key] = int(match.group(1))", "data_dict[key] = 0"),
    f"all((value == 0 for key, value in data_dict.items() if key != {NO_FINDING!r}))": (
        f"data_dict[{NO_FINDING!r}] = 1",
        f"data_dict[{NO_FINDING!r}] = 0",
    ),
}
"""Every condition, and what is done where it holds and where it does not."""
_PLAIN = (ast.Assign, ast.For, ast.If, ast.Return)


def recognised(tree: ast.Module) -> bool:
    """Whether a script has the older shape rather than the newer one."""
    return any(isinstance(node, ast.FunctionDef) and node.name == FUNCTION for node in tree.body)


def script(reader: ScriptReader, tree: ast.Module, deviations: tuple[str, str]) -> Script:
    """Read a script of the older shape; what is wrong is noted in the reader."""
    function = plain_function(reader, tree, FUNCTION)
    body = ast.Module(function.body, []) if function else ast.Module([], [])
    if function and [argument.arg for argument in arguments(function)] != ["report"]:
        reader.wrong(f"{FUNCTION} takes something other than one report", function)
    table = _table(reader, body)
    _steps(reader, body)
    _columns(reader, tree)
    _reports(reader, tree)
    call = only_call(reader, tree)
    user = _user(reader, body)
    model, public = _model(reader, call)
    off = TEMPLATE_SWITCH if "/no_think" in user else deviations[0]
    return Script(
        questions=table,
        system=system_message(reader, call),
        user=user,
        strip=False,
        decoding=_decoding(reader, call),
        model=public,
        deviations=(off, deviations[1], *([OTHER_NAME] if public != model else [])),
    )


def _table(reader: ScriptReader, body: ast.Module) -> tuple[PackQuestion, ...]:
    found = [node.value for node in ast.walk(body) if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "prompt_templates"]
    if len(found) != 1:
        reader.wrong(f"prompt_templates is assigned {len(found)} times, not once", found[-1] if found else None)
        return ()
    if touched := [node for node in ast.walk(body) if changes(node, "prompt_templates")]:
        reader.wrong("prompt_templates is changed after it was assigned", touched[0])
    return questions(reader, _asked(found[0]), lambda node: _formatted(reader, node))


def _asked(table: ast.expr) -> ast.expr:
    """The table without an entry for No Finding that says nothing: the loop passes it over."""
    if not isinstance(table, ast.Dict):
        return table
    pairs = [(key, value) for key, value in zip(table.keys, table.values, strict=True) if not _nothing(key, value)]
    return ast.copy_location(ast.Dict([key for key, _ in pairs], [value for _, value in pairs]), table)


def _nothing(key: ast.expr | None, value: ast.expr) -> bool:
    return string(key) == NO_FINDING and isinstance(value, ast.Constant) and value.value is None


def _formatted(reader: ScriptReader, node: ast.expr) -> str | None:
    """A guidance text as `str.format` leaves it."""
    text = string(node)
    if text is None:
        return None
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        reader.wrong("a guidance text has a single brace, on which the script fails", node)
        return None
    if any(name is not None for _, name, _, _ in parts):
        reader.wrong("a guidance text has a place for something in braces, which a pack cannot hold", node)
    return "".join(literal for literal, _, _, _ in parts)


def _steps(reader: ScriptReader, body: ast.Module) -> None:
    """Between report, question, answer and label nothing else may happen."""
    seen: dict[str, set[str]] = {}
    for node in ast.walk(body):
        if isinstance(node, ast.stmt) and not isinstance(node, _PLAIN) and not _remark(node):
            reader.wrong(f"{FUNCTION} does something else than asking and reading", node)
        for name, value in writes(node):
            seen.setdefault(name, set()).add(value)
            if name not in _APART and value not in _VALUES.get(name, ()):
                reader.wrong(f"{FUNCTION} writes something else into {name}", node)
    for name in sorted(_APART | _VALUES.keys()):
        if name not in seen or (name in _VALUES and seen[name] != _VALUES[name]):
            reader.wrong(f"{FUNCTION} never writes {name}, or not all that belongs into it")
    _flow(reader, body)


def _remark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _flow(reader: ScriptReader, body: ast.Module) -> None:
    """One loop over the table, the known conditions, one end."""
    loops = [node for node in ast.walk(body) if isinstance(node, ast.For)]
    if [f"{ast.unparse(loop.target)} in {ast.unparse(loop.iter)}" for loop in loops] != ["key in prompt_templates"]:
        reader.wrong(f"{FUNCTION} does not ask once for each text of prompt_templates", loops[0] if loops else None)
    found = {ast.unparse(node.test): node for node in ast.walk(body) if isinstance(node, ast.If)}
    for test, node in found.items():
        branches = _TESTS.get(test, ("", ""))
        if branches and ("\n".join(_lines(node.body)), "\n".join(_lines(node.orelse))) != branches:
            reader.wrong(f"{FUNCTION} decides something else where {test[:60]}", node)
    if found.keys() != _TESTS.keys() or sum(isinstance(node, ast.If) for node in ast.walk(body)) != len(_TESTS):
        reader.wrong(f"{FUNCTION} has other conditions than the known ones")
    ends = [node for node in ast.walk(body) if isinstance(node, ast.Return)]
    if len(ends) != 1 or ends[0] is not body.body[-1] or ast.unparse(ends[0]) != "return (data_dict, content)":
        reader.wrong(f"{FUNCTION} does not end once, with the labels and the answers", ends[0] if ends else None)


def _lines(body: list[ast.stmt]) -> Iterator[str]:
    return (ast.unparse(node) for node in body if not _remark(node))


def _columns(reader: ScriptReader, tree: ast.Module) -> None:
    """The script writes the 21 findings in the paper's order."""
    lists = [value for node in ast.walk(tree) for name, value in _lists(node) if name == "fields"]
    items = [by_spelling().get((string(item) or "").lower()) for item in lists[0].elts] if len(lists) == 1 else []
    if [item for item in items if item] != list(RAN_21):
        reader.wrong("the fields are not the 21 findings in the paper's order", lists[0] if lists else None)


def _lists(node: ast.AST) -> list[tuple[str, ast.List]]:
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
        return [(ast.unparse(target), node.value) for target in node.targets]
    return []


def _reports(reader: ScriptReader, tree: ast.Module) -> None:
    """A report goes from its table to the function as it is."""
    for node in ast.walk(tree):
        for name, value in writes(node):
            if name == "report" and value != "row['report']":
                reader.wrong("the script writes something else into report", node)
    calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == FUNCTION]
    if calls != [f"{FUNCTION}(report)"]:
        reader.wrong(f"{FUNCTION} is not called once, with the report")


def _user(reader: ScriptReader, body: ast.Module) -> str:
    """The user message's frame."""
    texts = [node.value for node in ast.walk(body) if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "prompt"]
    if len(texts) != 1 or not isinstance(texts[0], ast.JoinedStr):
        reader.wrong("the user message is not one f-string", texts[0] if texts else None)
        return ""
    slots = {"key": "label", "report": "report", "prompt_template.format(report=report)": "guidance"}
    made = frame(reader, texts[0], lambda part: slots.get(ast.unparse(part.value), ""))
    if made.count("{report}") != 1 or made.count("{guidance}") != 1 or "{label}" not in made:
        reader.wrong("the user message does not hold report and guidance once each, and the label", texts[0])
    return made


def _decoding(reader: ScriptReader, call: ast.Call | None) -> AnswerDecoding:
    """Decoding as far as the script says it."""
    found: dict[str, float | int | None] = dict.fromkeys(SETTINGS)
    for name, kind in SETTINGS.items():
        node = sent(call, name) if call else None
        value = number(node)
        if node is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or (kind is int and not isinstance(value, int)):
            reader.wrong(f"{name} is not a number", node)
        else:
            found[name] = kind(value)
    return AnswerDecoding(**found)  # type: ignore[arg-type]


def _model(reader: ScriptReader, call: ast.Call | None) -> tuple[str, str]:
    """The model that is asked, and its public name: a path's last part, or the preset of that name."""
    said = string(sent(call, "model")) if call else ""
    if said is None:
        reader.wrong("the model is not a name written out", call)
        return "", ""
    name = said.rpartition("/")[2] if said.startswith("/") else said
    known = [preset.id for preset in protocol.presets().values() if preset.id.rpartition("/")[2] == name]
    return said, known[0] if known else name
