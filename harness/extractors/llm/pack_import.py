"""Reads the authors' released extraction scripts by their syntax trees. Nothing of them is ever executed, and nothing of them is stored here.

Two shapes of script are known. The newer one has a function for each step, and is read here; the older ones have one function for all
(see `pack_import_older`). Whatever differs from the shape is a problem with its line; all problems come at once.
"""

from __future__ import annotations

import ast
from hashlib import sha256
from pathlib import Path

from harness.errors import InputError, Problem
from harness.extractors.llm import pack_import_older
from harness.extractors.llm.pack import AnswerDecoding, Pack
from harness.extractors.llm.pack_script import SETTINGS, Script, frame, only_call, questions, sent, system_message
from harness.extractors.llm.syntax import (
    ScriptReader,
    arguments,
    defaults,
    number,
    once,
    only_return,
    option,
    plain_function,
    string,
    writes,
)
from harness.findings import RAN_21, by_spelling

PINNED = {
    "323e967ba605c2ba277fc1c0b750c1b68daa00a091ada371d2bb4fd50f5d1ce6": "ran-2026-06",
    "4396a6cdbe1735619b30e173bf130bb4fbe676ffc1dcbc733ca797195dcb0ae9": "ran-2025-10",
    "89e6e2c1839b6da721456212c1ca98ebc9f1860a68e3d7b1d95a2b77dd73bca4": "ran-2025-05",
}
"""By SHA-256 of a script the name of its pack. In this order: scripts/run_qwen_extractor.py of Zero010731/Ran-Score (since 33dba21, 2026-06),
qwen-14b of xiaochoudengming/Ran-Score (since efdebe5, 2025-10-07), and its qwen-110b-English.py (at 36a4700, 2025-05-21)."""
CARDS = {
    "ran-2026-06": "Not known: its authors released it after the paper; with the deviations above on no model yet.",
    "ran-2025-10": "Most likely by its authors on Qwen3-14B, in the paper (inferred from dates); with the deviations above on no model yet.",
    "ran-2025-05": "Not known: its authors wrote it for qwen:110b, before the others; with the deviations above on no model yet.",
}
LARGEST = 1_000_000
"""Bytes; the authors' scripts have up to 40,000."""
DEVIATIONS = (
    "thinking is switched off explicitly",
    "an answer without a digit, or one that is cut off, is unparseable instead of 0",
)
_SLOTS = ("report", "label", "guidance")
_FIRST_DIGIT = {"(1|0)", "(0|1)", "1|0", "0|1", "[01]", "[10]", "([01])", "([10])"}


def read(path: Path) -> Pack:
    """Make a pack from a script of one of the authors' shapes.

    Returns:
        The pack of that name where the file is one of `PINNED`, byte for byte (line ends aside); else a pack with a name made
        from its content, which is never shown as official.

    Raises:
        InputError: The file cannot be read, is not Python, or has neither shape; every difference is named with its line.
    """
    reader = ScriptReader(str(path))
    data = _bytes(path)
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise InputError(Problem(f"it is not a Python file ({type(error).__name__})", file=str(path), line=line)) from None
    script = pack_import_older.script(reader, tree, DEVIATIONS) if pack_import_older.recognised(tree) else _script(reader, tree)
    if reader.problems:
        raise InputError(reader.problems)
    found, name = _identity(data)
    return Pack(
        name=name,
        mode="single",
        system=script.system,
        user=script.user,
        questions=script.questions,
        decoding=script.decoding,
        thinking=False,
        framing="raw",
        strip=script.strip,
        parser="first-digit",
        constraint="none",
        hedges="as the imported guidance says, finding by finding",
        no_finding="1 if all other findings are 0; 0 if any is 1; else undecided",
        model=script.model,
        source=found,
        deviations=script.deviations,
        card={"validated": CARDS.get(name, "By nobody that this program knows of.")},
    )


def _identity(data: bytes) -> tuple[str, str]:
    """The SHA-256 of a script with Unix line ends, or of the pinned script that it is but for its line ends; and the pack's name."""
    own = sha256(data).hexdigest()
    found = next((made for made in (own, sha256(data.replace(b"\n", b"\r\n")).hexdigest()) if made in PINNED), own)
    return found, PINNED.get(found, f"imported-{found[:12]}")


def _script(reader: ScriptReader, tree: ast.Module) -> Script:
    """A script with a function for each step."""
    table = questions(reader, once(reader, tree, "prompt_templates"), string)
    _columns(reader, tree)
    user, strip = _user(reader, tree)
    _parser(reader, tree)
    _rule(reader, tree)
    call = only_call(reader, tree)
    system = system_message(reader, call)
    _loop(reader, tree)
    settings = _decoding(reader, tree, call)
    model = option(tree, "--model")
    if not isinstance(model, str):
        reader.wrong("the option --model has no default, so nothing says which model the script was made for")
    decoding = AnswerDecoding(**settings) if len(settings) == len(SETTINGS) else AnswerDecoding(None, None, None, None)  # type: ignore[arg-type]
    return Script(questions=table, system=system, user=user, strip=strip, decoding=decoding, model=str(model), deviations=DEVIATIONS)


def _bytes(path: Path) -> bytes:
    """The file with Unix line ends: a checkout on Windows is the same script."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(Problem(f"it is larger than {LARGEST} bytes, so it is not the script", file=str(path)))
        return path.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise InputError(Problem(f"it cannot be read ({error.strerror})", "Name the script's file", str(path))) from None


def _columns(reader: ScriptReader, tree: ast.Module) -> None:
    columns = once(reader, tree, "LABEL_COLUMNS")
    if columns is None:
        return
    items = [string(item) or "" for item in columns.elts] if isinstance(columns, ast.List | ast.Tuple) else []
    if [by_spelling().get(item.lower()) for item in items] != list(RAN_21):
        reader.wrong("LABEL_COLUMNS are not the 21 findings in the paper's order", columns)


def _user(reader: ScriptReader, tree: ast.Module) -> tuple[str, bool]:
    """The user message's frame, and whether it is stripped."""
    function = plain_function(reader, tree, "build_prompt")
    if function is None:
        return "", False
    value = only_return(function)
    strip = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "strip" and not value.args
    text = value.func.value if strip and isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else value
    if not isinstance(text, ast.JoinedStr) or {argument.arg for argument in arguments(function)} != set(_SLOTS):
        reader.wrong("build_prompt does not return one f-string of report, label and guidance", function)
        return "", False
    made = frame(reader, text, lambda part: part.value.id if isinstance(part.value, ast.Name) and part.value.id in _SLOTS else "")
    if any(made.count(f"{{{slot}}}") != 1 for slot in _SLOTS):
        reader.wrong("build_prompt does not use report, label and guidance once each", text)
    return made, strip


_PARSER = """
def parse_binary_response(text):
    match = re.search(PATTERN, text.strip())
    return int(match.group(1)) if match else 0
"""


def _parser(reader: ScriptReader, tree: ast.Module) -> None:
    """The parser must be the one known shape: the first digit of the text, 0 without one."""
    function = plain_function(reader, tree, "parse_binary_response")
    if function is None:
        return
    patterns = [string(node) for node in ast.walk(function) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    known = ast.parse(_PARSER.replace("PATTERN", repr(patterns[0]))).body[0] if len(patterns) == 1 else None
    same = isinstance(known, ast.FunctionDef) and [ast.dump(node) for node in function.body] == [ast.dump(node) for node in known.body]
    if not same or patterns[0] not in _FIRST_DIGIT:
        reader.wrong("parse_binary_response is not `the first 0 or 1 in the text, else 0`", function)


def _rule(reader: ScriptReader, tree: ast.Module) -> None:
    known = ast.dump(ast.parse('labels["No Finding"] = 1 if all(value == 0 for value in labels.values()) else 0').body[0])
    if known not in {ast.dump(node) for node in ast.walk(tree) if isinstance(node, ast.Assign)}:
        reader.wrong("the rule for No Finding is not `1 if all other findings are 0`")


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


def _loop(reader: ScriptReader, tree: ast.Module) -> None:
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


def _decoding(reader: ScriptReader, tree: ast.Module, call: ast.Call | None) -> dict[str, float | int]:
    """Decoding as it is when nobody says otherwise on the command line."""
    settings: dict[str, float | int] = {}
    for name, kind in SETTINGS.items():
        if call is None:
            break
        node = sent(call, name)
        value = option(tree, "--" + name.replace("_", "-")) if isinstance(node, ast.Name) and node.id == name else number(node)
        if isinstance(value, bool) or not isinstance(value, int | float) or (kind is int and not isinstance(value, int)):
            reader.wrong(f"{name} is neither a number nor an option with a number as its default", node or call)
        else:
            settings[name] = kind(value)
            if any(default != value for default in defaults(tree, name)):
                reader.wrong(f"{name} has two defaults that differ", node)
    return settings
