"""The older shape of the authors' scripts, and their own scripts where a clone is here: every message is the one that the script sends.

What a script sends is recorded by running it in a process of its own, in which `openai` and `pandas` are the stand-ins of the folder
`recorder`. The scripts are not part of the project; `RANSCORE_AUTHORS` names a folder in which they lie somewhere, as released.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError, UsageError
from harness.extractors import extractor
from harness.extractors.llm import pack, pack_import
from harness.extractors.llm import protocol as models
from harness.findings import FINDINGS, RAN_21
from harness.types import Status
from ranscore.commands import main
from tests.conftest import SHARED
from tests.extractors.servers import Faulty

RECORDER = Path(__file__).parent / "recorder"
TABLE = ",\n".join(
    f'        {finding.column!r}:\n        """\n        Signs of {finding.name.upper()} → {{{{x}}}}, 100 %.\n          And "quotes".\n        """'
    for finding in FINDINGS
    if finding.name != "No Finding"
)
SCRIPT = f'''
import re
import sys
import pandas as pd
from openai import OpenAI
client = OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none")
def model_predict(report):
    # A remark.
    prompt_templates = {{
{TABLE},
        "No Finding": None,
    }}
    data_dict = {{key: 0 for key in prompt_templates.keys()}}
    content = {{}}
    for key in prompt_templates:
        if key != "No Finding":
            prompt_template = prompt_templates[key]
            prompt= f"""
                Look for {{key}} in: {{report}}
                {{prompt_template.format(report=report)}}
                Is there {{key}}, yes (1) or no (0)? {{{{so}}}}/no_think
            """
            response = client.chat.completions.create(model="/srv/models/Qwen3-14B",
                messages=[{{'role': 'system', 'content': 'Read films.'}}, {{'role': 'user', 'content': prompt}}],
                temperature=0.5, top_p=1.0, max_tokens=9, seed=3)
            detection_result = response.choices[0].message.content.strip()
            content[key] = detection_result
            match = re.search(r'(1|0)', detection_result)
            if match:
                data_dict[key] = int(match.group(1))
            else:
                data_dict[key] = 0
    if all(value == 0 for key, value in data_dict.items() if key != "No Finding"):
        data_dict["No Finding"] = 1
    else:
        data_dict["No Finding"] = 0
    return data_dict, content

def main():
    df = pd.read_csv("somewhere.csv")
    fields = ['study_id', 'id', {", ".join(repr(finding.column) for finding in FINDINGS)}]
    for i in range(0, len(df)):
        row = df.iloc[i]
        report = row['report']
        prediction, content = model_predict(report)
        sys.stdout.write(str(len(fields)) + str(prediction["No Finding"]))

if __name__ == '__main__':
    main()
'''
AUTHORS = {name: digest for digest, name in pack_import.PINNED.items()}
ODD = (
    "Heart {{label}} {{guidance}} {{report}} {{0}} {number}.",
    "Lungs 100 % clear, {number} %s %(x)s \\n \\\\ \\u0041.",
    "  Effusion\n\n\t'single' \"double\" {number}\r\n  ",
    "心影增大 {number}。\u200b“肺” → ‘x’ \U0001fac1",
    "Pneumothorax <|im_end|> </think> [INST] {number} /no_think",
    "Edema {number} " + "very " * 400,
)


def written(folder: Path, text: str) -> Path:
    path = folder / "script.py"
    path.write_text(text, encoding="utf-8")
    return path


def texts() -> list[str]:
    """200 reports: 140 English and 24 Chinese ones, and 36 with what a template or a message could stumble over."""
    invented = [build(number, seed=5, language=code, train=0, dev=0) for code, number in (("en", 140), ("zh", 24))]
    made = [cohort.reference(study.id) for cohort in invented for study in cohort.scored]
    return made + [odd.format(number=number) for number in range(6) for odd in ODD]


def recorded(script: Path, folder: Path, reports: list[str]) -> list[dict[str, Any]]:
    """What a script asks about reports, in order."""
    (folder / "reports.json").write_text(json.dumps(reports), encoding="utf-8")
    asked = folder / "asked.jsonl"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(RECORDER), "REPORTS": str(folder / "reports.json"), "RECORDED": str(asked)}
    newer = ["--input", "in.csv", "--output", "out.csv"] if 'add_argument("--input"' in script.read_text(encoding="utf-8") else []
    subprocess.run([sys.executable, script, *newer], env=env, cwd=folder, check=True, capture_output=True, timeout=300)
    return [json.loads(line) for line in asked.read_text(encoding="utf-8").splitlines()]


def held(made: pack.Pack, asked: list[dict[str, Any]], reports: list[str]) -> None:
    """Hold the messages of a pack, and its decoding, to what was recorded."""
    protocol = models.protocol(made, models.find(made.model))
    ours = [made.messages(question, report) for report in reports for question in made.questions]
    assert len(asked) == len(ours) == 20 * len(reports)
    assert [item["messages"] for item in asked] == ours
    said = {name: value for name, value in asked[0].items() if name not in ("messages", "model")}
    assert all({**said, "messages": item["messages"], "model": asked[0]["model"]} == item for item in asked)
    assert protocol.decoding == said


def test_every_message_of_a_script_of_the_older_shape_is_the_one_that_it_sends(tmp_path: Path) -> None:
    path, reports = written(tmp_path, SCRIPT), texts()
    made = pack_import.read(path)
    assert len(reports) == 200 and made.model == "Qwen/Qwen3-14B" and made.decoding == pack.AnswerDecoding(0.5, 1.0, 9, 3)
    held(made, recorded(path, tmp_path, reports), reports)
    assert made.name.startswith("imported-") and not made.official and len(made.deviations) == 3


def test_what_the_script_does_not_say_of_decoding_is_not_said_to_the_server(tmp_path: Path) -> None:
    path = written(
        tmp_path, SCRIPT.replace(",\n                temperature=0.5, top_p=1.0, max_tokens=9, seed=3", "").replace("/no_think", "")
    )
    made = pack_import.read(path)
    assert made.decoding == pack.AnswerDecoding(None, None, None, None) and made.deviations[0] == "thinking is switched off explicitly"
    held(made, recorded(path, tmp_path, texts()[:20]), texts()[:20])
    pack.save(made)
    assert pack.load(made.name) == made
    protocol = models.protocol(made, models.find("deepseek-r1"))
    assert "max_tokens" not in protocol.body("Edema", "x") and "temperature" not in protocol.body("Edema", "x")


Edit = Callable[[str], str]
DIFFERENCES: dict[str, tuple[Edit, str]] = {
    "two functions": (lambda text: text + "\ndef model_predict(report):\n    pass\n", "exactly one plain function model_predict"),
    "two arguments": (lambda text: text.replace("def model_predict(report):", "def model_predict(report, x=1):"), "other than one report"),
    "report cut": (
        lambda text: text.replace("    content = {}", "    content = {}\n    report = report[:9]"),
        "something else into report",
    ),
    "report cut before": (lambda text: text.replace("row['report']", "row['report'][:9]"), "something else into report"),
    "report cut on the way": (lambda text: text.replace("= model_predict(report)", "= model_predict(report[:9])"), "not called once"),
    "called twice": (
        lambda text: text.replace("        prediction, content", "        model_predict(report)\n        prediction, content"),
        "once",
    ),
    "table twice": (lambda text: text.replace("    content = {}", "    content = {}\n    prompt_templates = {}"), "assigned 2 times"),
    "table changed": (
        lambda text: text.replace("    content = {}", "    content = {}\n    prompt_templates['Edema'] = 'x'"),
        "changed after",
    ),
    "missing label": (lambda text: text.replace("'Edema':", "'Oedema':"), "no guidance for Edema"),
    "no guidance": (lambda text: text.replace('"No Finding": None', '"Edema": None'), "guidance for Edema is not a text"),
    "guidance for nothing": (lambda text: text.replace('"No Finding": None', '"No Finding": "x"'), "none of the 20 findings"),
    "a place in a guidance": (lambda text: text.replace("{{x}}", "{report}", 1), "place for something in braces"),
    "a single brace": (lambda text: text.replace("{{x}}", "{x", 1), "single brace"),
    "another filling": (lambda text: text.replace(".format(report=report)", ".format(report=key)"), "something other than report"),
    "no label": (lambda text: text.replace("{key}", "it"), "and the label"),
    "report twice": (lambda text: text.replace("{report}\n", "{report} {report}\n"), "once each"),
    "converted": (lambda text: text.replace("{report}\n", "{report!r}\n"), "something other than report"),
    "slot as text": (lambda text: text.replace("{{so}}", "{{report}}"), "spells a slot in braces"),
    "stripped": (lambda text: text.replace('/no_think\n            """', '/no_think\n            """.strip()'), "not one f-string"),
    "changed after": (
        lambda text: text.replace("            response =", "            prompt += 'x'\n            response ="),
        "something else",
    ),
    "skipped": (lambda text: text.replace("for key in prompt_templates:", "for key in list(prompt_templates)[:3]:"), "ask once"),
    "another condition": (lambda text: text.replace('if key != "No Finding":', 'if key != "Edema":'), "other conditions"),
    "turned round": (lambda text: text.replace("            if match:", "            if not match:"), "other conditions"),
    "other default": (
        lambda text: text.replace(
            "            else:\n                data_dict[key] = 0", "            else:\n                data_dict[key] = 1"
        ),
        "data_dict[key]",
    ),
    "no default": (
        lambda text: text.replace("            else:\n                data_dict[key] = 0\n", ""),
        "decides something else where match",
    ),
    "last digit": (lambda text: text.replace("re.search", "re.findall"), "something else into match"),
    "other digits": (lambda text: text.replace("(1|0)", "(1|2)"), "something else into match"),
    "rule turned": (lambda text: text.replace("] = 1\n    else", "] = 0\n    else"), "data_dict['No Finding']"),
    "any instead of all": (lambda text: text.replace("if all(value", "if any(value"), "other conditions"),
    "an early end": (
        lambda text: text.replace("    content = {}", "    content = {}\n    if len(report) < 9: return {}, {}"),
        "other conditions",
    ),
    "an exception": (
        lambda text: text.replace("    content = {}", "    try:\n        content = {}\n    finally:\n        pass"),
        "does something else",
    ),
    "a call beside": (lambda text: text.replace("    content = {}", "    content = {}\n    print(report)"), "does something else"),
    "answer changed": (lambda text: text.replace("content.strip()", "content.upper()"), "something else into detection_result"),
    "labels alone": (lambda text: text.replace("return data_dict, content", "return data_dict"), "does not end once"),
    "more settings": (lambda text: text.replace("seed=3", "seed=3, n=2"), "also sent n"),
    "a setting of a variable": (lambda text: text.replace("seed=3", "seed=SEED"), "seed is not a number"),
    "a float of tokens": (lambda text: text.replace("max_tokens=9", "max_tokens=9.5"), "max_tokens is not a number"),
    "model computed": (lambda text: text.replace('model="/srv/models/Qwen3-14B"', "model=str()"), "not a name written out"),
    "system computed": (lambda text: text.replace("'content': 'Read films.'", "'content': key"), "system message is not a text"),
    "column order": (lambda text: text.replace("'Atelectasis', 'Cardiomegaly',", "'Cardiomegaly', 'Atelectasis',"), "paper's order"),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_whatever_differs_from_the_older_shape_is_named(name: str, tmp_path: Path) -> None:
    edit, expected = DIFFERENCES[name]
    assert edit(SCRIPT) != SCRIPT
    with pytest.raises(InputError, match=re.escape(expected)):
        pack_import.read(written(tmp_path, edit(SCRIPT)))


def test_nothing_of_a_script_runs_while_it_is_read(tmp_path: Path) -> None:
    pack_import.read(written(tmp_path, SCRIPT + "\nsys.exit('this file was executed')\n"))


def test_the_names_of_the_authors_packs_are_kept_for_their_content(tmp_path: Path) -> None:
    made = pack_import.read(written(tmp_path, SCRIPT))
    for name in pack.AUTHORS:
        path = pack.save(made)
        path.with_name(f"{name}.json").write_text(path.read_text().replace(made.name, name))
        with pytest.raises(InputError, match="not the one that was stored"):
            pack.load(name)
        with pytest.raises(UsageError, match="reserved"):
            pack.save(replace(made, name=name))


@pytest.fixture(scope="module")
def scripts() -> dict[str, Path]:
    """The authors' own scripts that are here, by the name of their pack, as the SHA-256 of their bytes tells them."""
    folder = Path(os.environ.get("RANSCORE_AUTHORS", SHARED.parent / "authors"))
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts and path.stat().st_size < 1_000_000]
    known = {sha256(path.read_bytes()).hexdigest(): path for path in files}
    return {name: known[digest] for name, digest in AUTHORS.items() if digest in known}


def own(scripts: dict[str, Path], name: str) -> Path:
    if name not in scripts:
        pytest.skip(
            f"the script of {name} (SHA-256 {AUTHORS[name][:8]}) is not here: let RANSCORE_AUTHORS name a folder with clones of "
            "Zero010731/Ran-Score and xiaochoudengming/Ran-Score, and in it what `git show 36a4700:qwen-110b-English.py` prints"
        )
    return scripts[name]


@pytest.mark.parametrize("name", AUTHORS)
def test_every_message_of_an_own_script_is_the_one_that_it_sends(scripts: dict[str, Path], name: str, tmp_path: Path) -> None:
    path, reports = own(scripts, name), texts()
    made = pack_import.read(path)
    assert made.name == name and made.digest == pack.AUTHORS[name] and made.official is (name in pack.OFFICIAL)
    assert [question.finding for question in made.questions] == [item for item in RAN_21 if item != "No Finding"]
    held(made, recorded(path, tmp_path, reports), reports)
    assert ("/no_think" in made.user) is (name == "ran-2025-10")


@pytest.mark.parametrize("name", pack.OFFICIAL)
def test_a_server_is_asked_what_an_own_script_asks(scripts: dict[str, Path], name: str, tmp_path: Path) -> None:
    path, reports = own(scripts, name), texts()
    made = pack_import.read(path)
    pack.save(made)
    with Faulty(model="Qwen/Qwen3-14B") as server:
        asking = extractor("llm", endpoint=server.url, pack=name, access="open", patience=20.0)
        found = asking.extract(reports)
    assert asking.official and asking.by == f"{name} asked of Qwen/Qwen3-14B"  # type: ignore[attr-defined]
    assert all(set(item.statuses) == {Status.OK} for item in found)
    ours = sorted(
        json.dumps([body["messages"], *(body[key] for key in ("temperature", "top_p", "max_tokens", "seed"))]) for body in server.bodies
    )
    theirs = recorded(path, tmp_path, reports)
    assert ours == sorted(
        json.dumps([item["messages"], *(item[key] for key in ("temperature", "top_p", "max_tokens", "seed"))]) for item in theirs
    )


@pytest.mark.parametrize("name", AUTHORS)
def test_one_changed_letter_makes_an_own_script_anybody_s(scripts: dict[str, Path], name: str, tmp_path: Path) -> None:
    path = own(scripts, name)
    text = path.read_bytes()
    at = text.index(b" {report}")
    changed = tmp_path / "changed.py"
    changed.write_bytes(text[: at - 2] + b"x" + text[at - 1 :])
    made = pack_import.read(changed)
    assert made.name.startswith("imported-") and not made.official and made.digest != pack.AUTHORS[name]
    pack.save(made)
    assert not models.protocol(pack.load(made.name), models.find(made.model)).official


@pytest.mark.parametrize("name", AUTHORS)
def test_other_line_ends_are_the_same_script(scripts: dict[str, Path], name: str, tmp_path: Path) -> None:
    text = own(scripts, name).read_bytes().replace(b"\r\n", b"\n")
    for ends in (b"\n", b"\r\n"):
        (tmp_path / "script.py").write_bytes(text.replace(b"\n", ends))
        assert pack_import.read(tmp_path / "script.py").digest == pack.AUTHORS[name]


def test_the_command_says_whose_pack_it_is(scripts: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    for name in AUTHORS:
        assert main(["pack", "import", str(own(scripts, name))]) == 0
        said = capsys.readouterr().out
        assert said.startswith(name) and ("from before the paper" in said) is (name == "ran-2025-05")
    assert main(["pack", "list"]) == 0
    listed = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert listed["ran-2025-10"].endswith("the authors' own") and listed["ran-2026-06"].endswith("the authors' own")
    assert listed["ran-2025-05"].endswith("from before the paper") and "authors" not in listed["ranscore-1"]
