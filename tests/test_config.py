"""The configuration: whatever is wrong with the file is named with table, key and remedy, all at once, and nothing ends in a traceback."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from generators.weights import Weights, locate
from harness import config
from harness.config.home import home
from harness.errors import InputError, UnavailableError
from ranscore.commands import main
from submissions.policy import Policy


def write(text: str | bytes, root: Path | None = None) -> None:
    """Lay a configuration down."""
    place = root or home()
    place.mkdir(parents=True, exist_ok=True)
    (place / config.NAME).write_bytes(text.encode() if isinstance(text, str) else text)


def complaint(text: str | bytes) -> str:
    """What is said of a file."""
    write(text)
    with pytest.raises(InputError) as caught:
        config.read()
    assert all(problem.file == str(home() / config.NAME) and problem.remedy for problem in caught.value.problems)
    return str(caught.value)


VALUES = {
    "text": '"SECRETVALUE"',
    "a whole number": "-7",
    "a number": "-1.5",
    "no finite number": "nan",
    "no finite number ": "inf",
    "no finite number  ": "1e400",
    "true or false": "true",
    "a date or a time": "2030-01-01T00:00:00Z",
    "a list": '["SECRETVALUE", 3, []]',
    "a table": "{ a = { b = [1] } }",
    "text ": '"\\u0000\\u202E"',
    "a whole number ": "9" * 400,
    "a list ": "[" + "[" * 40 + "]" * 40 + "]",
}
"""A value of every kind, none of which fits a number with bounds."""


def plain(names: dict[str, Any]) -> list[tuple[str, str]]:
    return [(table, name) for table, item in names.items() for name in item.keys]


@pytest.mark.parametrize(("table", "name"), plain(config.SCHEMA))
def test_every_key_refuses_every_other_kind_and_takes_its_example(table: str, name: str) -> None:
    item = config.SCHEMA[table]
    key = item.keys[name]
    head = f"[[{table}]]" if item.many else f"[{table}]"
    others = [f"{other} = {found.written}" for other, found in item.keys.items() if found.required and other != name]
    for words, value in VALUES.items():
        text = "\n".join([head, *others, f"{name} = {value}"])
        if not key.mistake(tomllib.loads(f"x = {value}")["x"]):
            continue
        said = complaint(text)
        assert f"{name} is {words.strip()}, not " in said or f"{name} is not " in said, (words, said)
        assert "SECRETVALUE" not in said and f"Write for example {name} = " in said
    write("\n".join([head, *others, f"{name} = {key.written}"]))
    assert config.read()


@pytest.mark.parametrize("table", config.SCHEMA)
@pytest.mark.parametrize("value", ["5", '"x"', "true", "2030-01-01", "[1, 2]", "[{ a = 1 }, 3]", "nan"])
def test_a_table_that_is_something_else_is_named(table: str, value: str) -> None:
    said = complaint(f"{table} = {value}")
    assert f"{table} is " in said and f"{table}]" in said and "on a line of its own" in said


@pytest.mark.parametrize(("table", "name"), plain({name: item for name, item in config.SCHEMA.items() if not item.many}))
def test_every_number_has_bounds_on_both_sides(table: str, name: str) -> None:
    key = config.SCHEMA[table].keys[name]
    if isinstance(key.default, int | float):
        assert key.least is not None and key.most is not None
        assert "is not " in complaint(f"[{table}]\n{name} = {int(key.most) + 1}")


WHOLE = {
    "not toml": (b"[door", "it is not TOML"),
    "twice": (b"[door]\nqueue = 1\nqueue = 2\n", "it is not TOML"),
    "two tables": (b"[door]\n[door]\n", "it is not TOML"),
    "latin-1": ('[page]\naddress = "http://\xe9"'.encode("latin-1"), "not UTF-8"),
    "utf-16": ("[door]\nqueue = 1\n".encode("utf-16"), "not UTF-8"),
    "nul": (b"[door]\nqueue = \x001\n", "it is not TOML"),
    "deep list": (b"a = " + b"[" * 100_000, "nested too deep"),
    "deep table": (b"a = " + b"{a=" * 50_000, "nested too deep"),
    "digits": (b"a = " + b"9" * 5000, "it is not TOML"),
    "huge": (b"# " + b"x" * 1_100_000, "more than 1,000,000 bytes"),
    "yaml": (b"door:\n  queue: 3\n", "it is not TOML"),
    "json": (b'{"door": {"queue": 3}}', "it is not TOML"),
    "binary": (bytes(range(256)), "not UTF-8"),
    "key above": (b"per_day = 5\n", "'per_day' is above all tables. Write it below [door]"),
    "near table": (b"[dor]\nqueue = 1\n", "no table 'dor'. Did you mean door?"),
    "near key": (b"[door]\nper_dya = 5\n", "[door] has no key 'per_dya'. Did you mean per_day?"),
    "capitals": (b"[Door]\nqueue = 1\n", "no table 'Door'. Did you mean door?"),
    "foreign": (b"[tool.ruff]\nline = 1\n", "no table 'tool'"),
    "option": (b"[door]\noptions = { timeout = 'x' }\n", "[door] options timeout is text"),
    "weights": (b"[weights.chexbert]\nwieghts = 'x'\n", "[weights.chexbert] has no key 'wieghts'. Did you mean weights?"),
    "weights kind": (b"[weights.rgrg]\ncheckpoint = 3\n", "[weights] rgrg is a table, not a table of paths"),
    "no url": (b"[[endpoint]]\nlimit = 3\n", "[[endpoint]] number 1: has no url"),
    "url with a secret": (b"[[endpoint]]\nurl = 'http://user:SECRET@h/v1'\n", "url is text, not a web address"),
    "port": (b"[[endpoint]]\nurl = 'http://h:99999/v1'\n", "not a web address"),
    "script": (b"[page]\naddress = 'javascript:alert(1)'\n", "not a web address"),
    "markup": (b"[page]\naddress = 'http://h/\"><script>'\n", "not a web address"),
    "repository": (b"[hub]\nresults = '../../etc'\n", "not a data set of the Hub"),
    "proxy": (b"[page]\nproxies = ['10.0.0.1/8']\n", "not a list of addresses"),
}


@pytest.mark.parametrize("case", WHOLE)
def test_a_file_that_is_wrong_as_a_whole_is_named(case: str) -> None:
    content, said = WHOLE[case]
    found = complaint(content)
    assert said in found and "SECRET" not in found


def test_all_mistakes_come_at_once() -> None:
    said = complaint('[door]\nqueue = "x"\nper_dya = 1\n[hub]\nresults = 5\n[[endpoint]]\nurl = 3\n[[endpoint]]\nurl = true\n[dore]\n')
    assert len(said.splitlines()) == 6 and "number 2:" in said


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to("nowhere")], ids=["folder", "broken link"])
def test_what_is_no_file_is_named(make: Any) -> None:
    home().mkdir(exist_ok=True)
    make(home() / config.NAME)
    with pytest.raises(InputError, match="it is not a file"):
        config.read()


@pytest.mark.parametrize(
    "command",
    [
        ["serve", "--port", "0"],
        ["health"],
        ["worker", "--once"],
        ["moderate", "list"],
        ["submit", "x.csv", "--cohort", "nothing"],
        ["systems", "list"],
        ["systems", "check", "rgrg"],
        ["label", "x.csv", "-o", "y.csv", "--extractor", "chexbert"],
        ["metrics"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_every_command_that_reads_it_says_what_is_wrong(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write("[door]\nlease = nan\n")
    assert main(command) == 3
    said = "[door] lease is no finite number, not a number from 0.1 to 86,400. Write for example lease = 120.0"
    # What takes a while announces itself first.
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("Loading ")]
    assert errors == [f"ranscore: {home() / config.NAME}: {said}"]


def test_a_byte_order_mark_is_passed_over() -> None:
    write(b"\xef\xbb\xbf[door]\r\nqueue = 7\r\n")
    assert config.table("door")["queue"] == 7


def test_the_policy_has_every_key_of_its_table() -> None:
    assert {item.name for item in fields(Policy)} == set(config.SCHEMA["door"].keys)
    assert {name: getattr(Policy(), name) for name in config.SCHEMA["door"].keys} == config.defaults("door")


def test_a_boards_folder_has_a_configuration_of_its_own(tmp_path: Path) -> None:
    write("[door]\nqueue = 1\n")
    write("[door]\nqueue = 2\n", tmp_path / "board")
    assert (config.table("door")["queue"], config.table("door", tmp_path / "board")["queue"]) == (1, 2)


def test_weights_are_read_in_both_spellings_and_the_new_one_goes_before(tmp_path: Path) -> None:
    write('[chexbert]\nweights = "old"\nvocabulary = "v"\n[weights.chexbert]\nweights = "new"\n[radgraph]\npython = "p"\n')
    assert config.weights("chexbert") == {"weights": "new", "vocabulary": "v"}
    assert config.weights("radgraph") == {"python": "p"} and config.weights("bertscore") == {} and config.weights("door") == {}


def test_a_name_that_a_system_does_not_need_is_named_with_the_nearest(tmp_path: Path) -> None:
    needed = (Weights("checkpoint", "all", "1 GB", "none", "nowhere"),)
    write(f"[weights.rgrg]\ncheckpont = '{tmp_path}'\n[weights.rgrgg]\ncheckpoint = '{tmp_path}'\n")
    with pytest.raises(InputError, match=r"\[weights.rgrg\] has no key 'checkpont'. Did you mean checkpoint"):
        locate("rgrg", needed)
    write(f"[weights.rgrgg]\ncheckpoint = '{tmp_path}'\n")
    with pytest.raises(UnavailableError, match=r"under \[weights.rgrg\] in config.toml \(it has \[weights.rgrgg\]\)"):
        locate("rgrg", needed)
    write(f"[weights.rgrg]\ncheckpoint = '{tmp_path}'\n")
    assert locate("rgrg", needed) == {"checkpoint": tmp_path}
