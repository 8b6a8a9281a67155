"""Reading a script of the authors' shape by its syntax tree: what is read, and every way in which such a file can differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.extractors.llm import pack, pack_import
from harness.findings import FINDINGS
from ranscore.commands import main

GUIDANCE = ",\n".join(
    f'    {finding.column!r}:\n    """\n    Look for {{signs}} of {finding.name.upper()}.\n      And "quotes".\n    """'
    for finding in FINDINGS
    if finding.name != "No Finding"
)
SCRIPT = f'''
import re
import sys
LABEL_COLUMNS = {[finding.column for finding in FINDINGS]!r}
prompt_templates = {{
{GUIDANCE}
}}

def build_prompt(report: str, label: str, guidance: str) -> str:
    return f"""
For {{label}} in braces {{{{x}}}} read: {{report}}
{{guidance}}
One digit.
""".strip()

def parse_binary_response(text: str) -> int:
    match = re.search(r"(1|0)", text.strip())
    return int(match.group(1)) if match else 0

def predict_report(client, model, report, *, temperature: float = 0.0, max_tokens: int = 7):
    labels = {{key: 0 for key in prompt_templates}}
    raw = {{}}
    for label, guidance in prompt_templates.items():
        prompt = build_prompt(report=report, label=label, guidance=guidance)
        response = client.chat.completions.create(
            model=model,
            messages=[{{"role": "system", "content": "Read films."}}, {{"role": "user", "content": prompt}}],
            temperature=temperature, top_p=1.0, max_tokens=max_tokens, seed=5,
        )
        output = response.choices[0].message.content.strip()
        raw[label] = output
        labels[label] = parse_binary_response(output)
    labels["No Finding"] = 1 if all(value == 0 for value in labels.values()) else 0
    return labels, raw

def parse_args(parser):
    parser.add_argument("--model", default="some-model")
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--max-tokens", type=int, default=7)

sys.exit("this file was executed")
'''


def written(folder: Path, text: str) -> Path:
    path = folder / "script.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_that_is_said_is_read_and_nothing_runs(tmp_path: Path) -> None:
    made = pack_import.read(written(tmp_path, SCRIPT))
    assert made.name.startswith("imported-") and not made.official
    assert made.model == "some-model" and made.decoding == pack.AnswerDecoding(0.0, 1.0, 7, 5)
    assert [question.finding for question in made.questions] == list(pack.ASKED)
    system, user = made.messages(made.questions[-5], "Heart {label} big {guidance}.")
    assert system == {"role": "system", "content": "Read films."}
    # Written out by hand from the script above: the text is kept blank for blank, and what is filled in is not looked at again.
    assert user["content"] == (
        "For calcification(lung and mediastinal) in braces {x} read: Heart {label} big {guidance}.\n"
        '\n    Look for {signs} of CALCIFICATION.\n      And "quotes".\n    \nOne digit.'
    )
    assert not made.thinking and len(made.deviations) == 2


def test_line_ends_of_windows_are_the_same_script(tmp_path: Path) -> None:
    first = pack_import.read(written(tmp_path, SCRIPT))
    (tmp_path / "windows.py").write_bytes(SCRIPT.replace("\n", "\r\n").encode())
    assert pack_import.read(tmp_path / "windows.py").digest == first.digest


Edit = Callable[[str], str]
DIFFERENCES: dict[str, tuple[Edit, str]] = {
    "no python": (lambda text: "def (", "not a Python file"),
    "null byte": (lambda text: text + "\0", "not a Python file"),
    "nothing": (lambda text: "", "prompt_templates is assigned 0 times"),
    "deep": (lambda text: "x = " + "(" * 5000 + ")" * 5000, "not a Python file"),
    "twice": (lambda text: text + "\nprompt_templates = {}\n", "prompt_templates is assigned 2 times"),
    "late change": (lambda text: text + '\nprompt_templates["Edema"] = "x"\n', "prompt_templates is changed after"),
    "update": (lambda text: text + '\nprompt_templates.update(Edema="x")\n', "prompt_templates is changed after"),
    "computed guidance": (lambda text: text.replace("'Edema':\n", "'Edema': str() +\n"), "guidance for Edema is not a text"),
    "empty guidance": (lambda text: text.replace("'Edema':\n", "'Edema': '',\n'x':"), "guidance for Edema is not a text"),
    "unknown label": (lambda text: text.replace("'Edema':", "'Oedema':"), "none of the 20 findings"),
    "missing label": (lambda text: text.replace("'Edema':", "'Oedema':"), "no guidance for Edema"),
    "double label": (lambda text: text.replace("'Fracture':", "'Edema':"), "Edema has two guidance texts"),
    "column order": (lambda text: text.replace("['Atelectasis', 'Cardiomegaly',", "['Cardiomegaly', 'Atelectasis',"), "paper's order"),
    "no frame": (lambda text: text.replace("def build_prompt", "def frame"), "exactly one plain function build_prompt"),
    "decorated": (lambda text: text.replace("def build_prompt", "@wraps\ndef build_prompt"), "exactly one plain function build_prompt"),
    "busy frame": (lambda text: text.replace("    return f", "    label = label.upper()\n    return f"), "does not return one f-string"),
    "foreign value": (lambda text: text.replace("One digit.", "{sys.argv} digit."), "something other than report, label or guidance"),
    "converted": (lambda text: text.replace("{report}\n{guidance}", "{report!r}\n{guidance}"), "something other than report"),
    "report twice": (lambda text: text.replace("One digit.", "{report}"), "once each"),
    "slot as text": (lambda text: text.replace("{{x}}", "{{report}}"), "spells a slot in braces"),
    "other parser": (lambda text: text.replace('r"(1|0)"', 'r"(yes|no)"'), "first 0 or 1 in the text"),
    "last digit": (lambda text: text.replace("re.search", "re.findall"), "first 0 or 1 in the text"),
    "other default": (lambda text: text.replace("if match else 0", "if match else 1"), "first 0 or 1 in the text"),
    "turned round": (lambda text: text.replace("= parse_binary_response(output)", "= 1 - parse_binary_response(output)"), "labels[label]"),
    "report cut": (lambda text: text.replace("    raw = {}", "    report = report[:100]"), "something else into report"),
    "labels skipped": (lambda text: text.replace("in prompt_templates.items():", "in list(prompt_templates.items())[:3]:"), "ask once"),
    "other rule": (lambda text: text.replace("all(value == 0", "any(value == 0"), "rule for No Finding"),
    "two calls": (lambda text: text + "\nclient.chat.completions.create()\n", "called in 2 places"),
    "no call": (lambda text: text.replace(".completions.", ".other."), "called in 0 places"),
    "more settings": (lambda text: text.replace("seed=5", "seed=5, presence_penalty=1"), "also sent presence_penalty"),
    "no seed": (lambda text: text.replace(", seed=5", ""), "seed is neither a number"),
    "temperature of a variable": (lambda text: text.replace("temperature=temperature", "temperature=T"), "temperature is neither"),
    "two defaults": (lambda text: text.replace("max_tokens: int = 7", "max_tokens: int = 9"), "max_tokens has two defaults"),
    "a float of tokens": (lambda text: text.replace("type=int, default=7", "type=int, default=7.5"), "max_tokens is neither"),
    "no model": (lambda text: text.replace('"--model", default="some-model"', '"--model"'), "--model has no default"),
    "three messages": (
        lambda text: text.replace('[{"role": "system"', '[{"role": "user", "content": "x"}, {"role": "system"'),
        "one system and one user message",
    ),
    "system computed": (lambda text: text.replace('"content": "Read films."', '"content": model'), "system message is not a text"),
    "user computed": (lambda text: text.replace('"content": prompt}', '"content": prompt.upper()}'), "user message is not what"),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_whatever_differs_is_named(name: str, tmp_path: Path) -> None:
    edit, expected = DIFFERENCES[name]
    assert edit(SCRIPT) != SCRIPT
    with pytest.raises(InputError) as caught:
        pack_import.read(written(tmp_path, edit(SCRIPT)))
    assert expected in str(caught.value)
    assert all(problem.file.endswith("script.py") for problem in caught.value.problems)


def test_all_problems_come_at_once_with_their_lines(tmp_path: Path) -> None:
    text = SCRIPT.replace('r"(1|0)"', 'r"(a|b)"').replace("seed=5", "seed=5, n=2").replace("'Edema':", "'Oedema':")
    with pytest.raises(InputError) as caught:
        pack_import.read(written(tmp_path, text))
    lines = {problem.line for problem in caught.value.problems}
    assert len(caught.value.problems) == 4 and None not in lines
    assert text.splitlines().index('    "x": 1') + 1 in lines if '    "x": 1' in text else True
    assert next(index for index, line in enumerate(text.splitlines(), 1) if "'Oedema'" in line and "LABEL" not in line) in lines


def test_a_file_that_is_too_large_or_absent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="larger than"):
        pack_import.read(written(tmp_path, "#" * 1_000_001))
    with pytest.raises(InputError, match="cannot be read"):
        pack_import.read(tmp_path / "absent.py")


def test_an_imported_pack_is_stored_loaded_and_never_called_official(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", "import", str(written(tmp_path, SCRIPT))]) == 0
    out = capsys.readouterr().out
    assert "not a script that the authors released" in out
    name = out.split()[0]
    assert pack.load(name) == pack_import.read(tmp_path / "script.py")
    assert main(["pack", "list"]) == 0 and name in capsys.readouterr().out


def test_a_stored_pack_is_held_to_its_digest_and_the_official_name_to_its_content(tmp_path: Path) -> None:
    made = pack_import.read(written(tmp_path, SCRIPT))
    path = pack.save(made)
    path.write_text(path.read_text().replace("Read films.", "Read poems."))
    with pytest.raises(InputError, match="not the one that was stored"):
        pack.load(made.name)
    path = pack.save(made)
    path.with_name("ran-2026-06.json").write_text(path.read_text().replace(made.name, "ran-2026-06"))
    with pytest.raises(InputError, match="not the one that was stored"):
        pack.load("ran-2026-06")
