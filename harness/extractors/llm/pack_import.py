"""Reads the authors' released extraction script by its syntax tree. Nothing of it is ever executed, and nothing of it is stored here.

The script is recognised by its shape: a table of guidance texts, a function that builds the user message from them, a call of a chat
server with its decoding, a function that reads a digit, and the rule for No Finding. Whatever differs from that shape is a problem with
its line; all problems come at once.
"""

from __future__ import annotations

import ast
import re
from hashlib import sha256
from pathlib import Path

from harness.errors import InputError, Problem
from harness.extractors.llm.pack import ASKED, OFFICIAL, Decoding, Pack, Question
from harness.extractors.llm.syntax import Reader, arguments, defaults, number, once, only_return, option, plain_function, string, writes
from harness.findings import NO_FINDING, RAN_21, by_spelling

PINNED_SHA256 = "323e967ba605c2ba277fc1c0b750c1b68daa00a091ada371d2bb4fd50f5d1ce6"
"""The authors' scripts/run_qwen_extractor.py at commit 33dba21ccb37743b7550c1faebfdbf64fbad076f."""
LARGEST = 1_000_000
"""Bytes; the authors' script has 20,000."""
DEVIATIONS = (
    "thinking is switched off explicitly",
    "an answer without a digit, or one that is cut off, is unparseable instead of 0",
)
_SLOTS = ("report", "label", "guidance")
_FIRST_DIGIT = {"(1|0)", "(0|1)", "1|0", "0|1", "[01]", "[10]", "([01])", "([10])"}
_SETTINGS: dict[str, type] = {"temperature": float, "top_p": float, "max_tokens": int, "seed": int}


def read(path: Path) -> Pack:
    """Make a pack from a script of the authors' shape.

    Returns:
        The pack `ran-2026-06` where the file is the authors' own, byte for byte (line ends aside); else a pack with a name made
        from its content, which is never shown as official.

    Raises:
        InputError: The file cannot be read, is not Python, or has not that shape; every difference is named with its line.
    """
    reader = Reader(str(path))
    data = _bytes(path)
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise InputError(Problem(f"it is not a Python file ({type(error).__name__})", file=str(path), line=line)) from None
    questions = _questions(reader, tree)
    _columns(reader, tree)
    user, strip = _user(reader, tree)
    _parser(reader, tree)
    _rule(reader, tree)
    call = _call(reader, tree)
    system = _system(reader, call)
    _loop(reader, tree)
    settings = _decoding(reader, tree, call)
    model = option(tree, "--model")
    if not isinstance(model, str):
        reader.wrong("the option --model has no default, so nothing says which model the script was made for")
    if reader.problems:
        raise InputError(reader.problems)
    found = sha256(data).hexdigest()
    return Pack(
        name=OFFICIAL if found == PINNED_SHA256 else f"imported-{found[:12]}",
        mode="single",
        system=system,
        user=user,
        questions=questions,
        decoding=Decoding(**settings),  # type: ignore[arg-type]
        thinking=False,
        framing="raw",
        strip=strip,
        parser="first-digit",
        constraint="none",
        hedges="as the imported guidance says, finding by finding",
        no_finding="1 if all other findings are 0; 0 if any is 1; else undecided",
        model=str(model),
        source=found,
        deviations=DEVIATIONS,
        card={"validated": "By its authors on Qwen3-14B; with the deviations above on no model yet."},
    )


def _bytes(path: Path) -> bytes:
    """The file with Unix line ends: a checkout on Windows is the same script."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(Problem(f"it is larger than {LARGEST} bytes, so it is not the script", file=str(path)))
        return path.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise InputError(Problem(f"it cannot be read ({error.strerror})", "Name the script's file", str(path))) from None


def _questions(reader: Reader, tree: ast.Module) -> tuple[Question, ...]:
    table = once(reader, tree, "prompt_templates")
    if table is None:
        return ()
    if not isinstance(table, ast.Dict):
        reader.wrong("prompt_templates is not a table written out", table)
        return ()
    questions: list[Question] = []
    spellings = by_spelling()
    for key, value in zip(table.keys, table.values, strict=True):
        title, guidance = string(key), string(value)
        finding = spellings.get((title or "").lower())
        if title is None or finding is None or finding == NO_FINDING:
            reader.wrong("prompt_templates has a key that is none of the 20 findings", key or value)
        elif guidance is None or not guidance.strip():
            reader.wrong(f"the guidance for {finding} is not a text written out", value)
        elif any(question.finding == finding for question in questions):
            reader.wrong(f"{finding} has two guidance texts", key)
        else:
            questions.append(Question(finding, title, guidance))
    if missing := [name for name in ASKED if name not in {question.finding for question in questions}]:
        reader.wrong(f"prompt_templates has no guidance for {', '.join(missing)}", table)
    return tuple(questions)


def _columns(reader: Reader, tree: ast.Module) -> None:
    columns = once(reader, tree, "LABEL_COLUMNS")
    if columns is None:
        return
    items = [string(item) or "" for item in columns.elts] if isinstance(columns, ast.List | ast.Tuple) else []
    if [by_spelling().get(item.lower()) for item in items] != list(RAN_21):
        reader.wrong("LABEL_COLUMNS are not the 21 findings in the paper's order", columns)


def _user(reader: Reader, tree: ast.Module) -> tuple[str, bool]:
    """The user message's frame, and whether it is stripped."""
    function = plain_function(reader, tree, "build_prompt")
    if function is None:
        return "", False
    value = only_return(function)
    strip = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "strip" and not value.args
    frame = value.func.value if strip and isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else value
    if not isinstance(frame, ast.JoinedStr) or {argument.arg for argument in arguments(function)} != set(_SLOTS):
        reader.wrong("build_prompt does not return one f-string of report, label and guidance", function)
        return "", False
    return _frame(reader, frame), strip


def _frame(reader: Reader, frame: ast.JoinedStr) -> str:
    """An f-string as a template with slots."""
    parts, slots = [], []
    for part in frame.values:
        if isinstance(part, ast.Constant):
            if re.search(r"\{(label|guidance|report|hedges)\}", str(part.value)):
                reader.wrong("build_prompt spells a slot in braces as text, which a pack cannot hold", part)
            parts.append(str(part.value))
        elif isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name) and part.value.id in _SLOTS and _plain(part):
            slots.append(part.value.id)
            parts.append(f"{{{part.value.id}}}")
        else:
            reader.wrong("build_prompt puts something other than report, label or guidance into the text", part)
    if sorted(slots) != sorted(_SLOTS):
        reader.wrong("build_prompt does not use report, label and guidance once each", frame)
    return "".join(parts)


def _plain(part: ast.FormattedValue) -> bool:
    return part.conversion == -1 and part.format_spec is None


_PARSER = """
def parse_binary_response(text):
    match = re.search(PATTERN, text.strip())
    return int(match.group(1)) if match else 0
"""


def _parser(reader: Reader, tree: ast.Module) -> None:
    """The parser must be the one known shape: the first digit of the text, 0 without one."""
    function = plain_function(reader, tree, "parse_binary_response")
    if function is None:
        return
    patterns = [string(node) for node in ast.walk(function) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    known = ast.parse(_PARSER.replace("PATTERN", repr(patterns[0]))).body[0] if len(patterns) == 1 else None
    same = isinstance(known, ast.FunctionDef) and [ast.dump(node) for node in function.body] == [ast.dump(node) for node in known.body]
    if not same or patterns[0] not in _FIRST_DIGIT:
        reader.wrong("parse_binary_response is not `the first 0 or 1 in the text, else 0`", function)


def _rule(reader: Reader, tree: ast.Module) -> None:
    known = ast.dump(ast.parse('labels["No Finding"] = 1 if all(value == 0 for value in labels.values()) else 0').body[0])
    if known not in {ast.dump(node) for node in ast.walk(tree) if isinstance(node, ast.Assign)}:
        reader.wrong("the rule for No Finding is not `1 if all other findings are 0`")


def _call(reader: Reader, tree: ast.Module) -> ast.Call | None:
    """The one call of the chat server."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("chat.completions.create")]
    if len(calls) != 1:
        reader.wrong(f"the chat server is called in {len(calls)} places, not one", calls[-1] if calls else None)
        return None
    known = {"model", "messages", *_SETTINGS}
    for keyword in calls[0].keywords:
        if keyword.arg not in known:
            reader.wrong(f"the chat server is also sent {keyword.arg or '**'}, which a pack has no place for", keyword.value)
    if calls[0].args:
        reader.wrong("the chat server is sent something by position", calls[0])
    return calls[0]


def _system(reader: Reader, call: ast.Call | None) -> str:
    """The system message; the user message beside it must be what build_prompt made."""
    if call is None:
        return ""
    messages = next((keyword.value for keyword in call.keywords if keyword.arg == "messages"), None)
    chat = [_message(item) for item in messages.elts] if isinstance(messages, ast.List) else []
    if [role for role, _ in chat] != ["system", "user"]:
        reader.wrong("the messages are not one system and one user message written out", messages or call)
        return ""
    system, user = string(chat[0][1]), chat[1][1]
    if system is None or re.search(r"\{(label|guidance|report|hedges)\}", system):
        reader.wrong("the system message is not a text written out", chat[0][1])
    if not isinstance(user, ast.Name) or user.id != "prompt":
        reader.wrong("the user message is not what build_prompt made", user)
    return system or ""


_STEPS = {
    "prompt": {"build_prompt(report=report, label=label, guidance=guidance)"},
    "output": {"response.choices[0].message.content.strip()"},
    "labels[label]": {"parse_binary_response(output)"},
    "labels": {"{key: 0 for key in prompt_templates}"},
    "report": set[str](),
    "label": set[str](),
    "guidance": set[str](),
}
"""What may be written into each name that leads from a report to a label."""


def _loop(reader: Reader, tree: ast.Module) -> None:
    """Between report, question, answer and label nothing else may happen."""
    function = plain_function(reader, tree, "predict_report")
    if function is None:
        return
    loops = [node for node in ast.walk(function) if isinstance(node, ast.For)]
    if [ast.unparse(loop.target) + " in " + ast.unparse(loop.iter) for loop in loops] != ["(label, guidance) in prompt_templates.items()"]:
        reader.wrong("predict_report does not ask once for each text of prompt_templates", loops[0] if loops else function)
    seen = set()
    for node in ast.walk(function):
        for name, value in writes(node):
            seen.add(name)
            if name in _STEPS and value not in _STEPS[name]:
                reader.wrong(f"predict_report writes something else into {name}", node)
    for name in ("prompt", "output", "labels[label]"):
        if name not in seen:
            reader.wrong(f"predict_report never writes {name}", function)


def _message(item: ast.expr) -> tuple[str, ast.expr | None]:
    """Role and content of a message written out."""
    if not isinstance(item, ast.Dict) or len(item.keys) != 2:
        return "", None
    parts = {string(key): value for key, value in zip(item.keys, item.values, strict=True)}
    return string(parts.get("role")) or "", parts.get("content")


def _decoding(reader: Reader, tree: ast.Module, call: ast.Call | None) -> dict[str, float | int]:
    """Decoding as it is when nobody says otherwise on the command line."""
    settings: dict[str, float | int] = {}
    for name, kind in _SETTINGS.items():
        if call is None:
            break
        node = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
        value = option(tree, "--" + name.replace("_", "-")) if isinstance(node, ast.Name) and node.id == name else number(node)
        if isinstance(value, bool) or not isinstance(value, int | float) or (kind is int and not isinstance(value, int)):
            reader.wrong(f"{name} is neither a number nor an option with a number as its default", node or call)
        else:
            settings[name] = kind(value)
            if any(default != value for default in defaults(tree, name)):
                reader.wrong(f"{name} has two defaults that differ", node)
    return settings
