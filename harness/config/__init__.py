"""`config.toml`: every table and key that the project reads, in one list; checked as a whole whenever a part of it is read.

The file is in `RANSCORE_HOME`; a board's folder may have one of its own.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.config.home import home
from harness.config.kinds import (
    ADDRESS,
    ADDRESSES,
    ANY,
    MIRRORS,
    NETWORKS,
    NUMBER,
    PATH,
    PATHS,
    REPOSITORY,
    TABLE,
    TEXT,
    TEXT_OR_TEXTS,
    TEXTS,
    TRUTH,
    VALUES,
    WHOLE,
    ConfigTable,
    Key,
    nearest,
)
from harness.errors import InputError, Problem
from harness.types import Json

NAME = "config.toml"
LONGEST = 1_000_000
"""Bytes of the largest file that is read."""
_LARGE = 1_000_000_000

WEIGHTS: dict[str, dict[str, Key]] = {
    "chexbert": {
        "weights": Key(kind=PATH, help="the released `chexbert.pth` or a conversion of it", shown="the Hub's cache"),
        "vocabulary": Key(kind=PATH, help="`vocab.txt` of bert-base-uncased", shown="beside the weights, or the Hub's cache"),
    },
    "bertscore": {"folder": Key(kind=PATH, help="the folder of distilroberta-base", shown="the Hub's cache")},
    "ratescore": {
        "tagger": Key(kind=PATH, help="the folder of Angelakeke/RaTE-NER-Deberta"),
        "names": Key(kind=PATH, help="the folder of FremyCompany/BioLORD-2023-C"),
        "rules": Key(kind=PATH, help="medspacy's `resources/en/rush_rules.tsv`", shown="that of an installed medspacy"),
    },
    "radeval-bertscore": {"folder": Key(kind=PATH, help="the folder of IAMJB/RadEvalModernBERT")},
    "cxr-bert": {"folder": Key(kind=PATH, help="the folder of microsoft/BiomedVLP-CXR-BERT-specialized")},
    "green": {"source": Key(kind=PATH, help="`green_score/utils.py` of your copy of Stanford-AIMI/GREEN")},
    "crimson": {"source": Key(kind=PATH, help="`CRIMSON/prompt_parts.py` of your copy of rajpurkarlab/CRIMSON")},
    "radgraph": {"python": Key(kind=PATH, help="the Python interpreter that has the package `radgraph`")},
}
"""The tables `[weights.NAME]` of metrics and extractors; a report generator's keys are the names of its weights."""

DIALECTS = ("vllm", "sglang", "llama.cpp", "openai")
OPTIONS = ConfigTable(
    help="What an extractor takes, under `[door] options`; one of another package may take more.",
    keys={
        "pack": Key(kind=TEXT, help="the name of a pack of questions", example='"ranscore-1"'),
        "mode": Key(kind=TEXT, help="how the pack asks", example='"single"'),
        "endpoint": Key(kind=TEXT_OR_TEXTS, help="addresses of servers", example='["http://127.0.0.1:8000/v1"]'),
        "model": Key(kind=TEXT, help="what the server calls the model, a preset's name, or a folder with weights or a GGUF file"),
        "revision": Key(kind=TEXT, help="which weights, where the server does not say"),
        "dialect": Key(kind=TEXT, choices=DIALECTS, help="how the server is asked to restrict an answer to a set"),
        "engine": Key(kind=TEXT, choices=("vllm", "transformers"), help="what runs weights in this process"),
        "retry": Key(kind=TRUTH, help="ask again what was unparseable or refused before"),
        "timeout": Key(kind=NUMBER, least=0, most=86_400, help="seconds for one answer; 0 for the usual time"),
        "patience": Key(kind=NUMBER, least=0, most=86_400, help="seconds without any answer after which the run is given up"),
        "limit": Key(kind=WHOLE, least=0, most=100_000, help="most questions in flight at one server"),
        "weights": Key(kind=PATH, help="of `chexbert`: the released file"),
        "vocabulary": Key(kind=PATH, help="of `chexbert`: `vocab.txt`"),
        "device": Key(kind=TEXT, help="of `chexbert`: `cpu`, `cuda` or `mps`", example='"cpu"'),
    },
    others=Key(kind=ANY, help="an option of an extractor of another package"),
)
"""The options of the extractors that come with the program."""

SCHEMA: dict[str, ConfigTable] = {
    "door": ConfigTable(
        help="What a board takes in, and how it is scored.",
        keys={
            "max_bytes": Key(kind=WHOLE, default=8_000_000, least=1, most=_LARGE, help="bytes of one reports file"),
            "seconds": Key(kind=NUMBER, default=30.0, least=0.1, most=3600, help="processor time that reading one file may take"),
            "memory": Key(kind=WHOLE, default=3 << 30, least=1 << 28, most=1 << 46, help="bytes of memory that reading one file may take"),
            "per_day": Key(
                kind=WHOLE, default=2, least=0, most=_LARGE, help="submissions of one person to one cohort in 24 hours; 0 for any number"
            ),
            "in_all": Key(kind=WHOLE, default=20, least=0, most=_LARGE, help="submissions of one person to one cohort; 0 for any number"),
            "queue": Key(kind=WHOLE, default=100, least=0, most=_LARGE, help="submissions that may wait; further ones are refused"),
            "lease": Key(
                kind=NUMBER,
                default=120.0,
                least=0.1,
                most=86_400,
                help="seconds without a sign after which a worker has lost its submission",
            ),
            "attempts": Key(kind=WHOLE, default=25, least=1, most=_LARGE, help="how often a submission is begun before it is given up"),
            "retry": Key(
                kind=NUMBER,
                default=60.0,
                least=0,
                most=86_400,
                help="seconds before a submission is begun again after a failure of the machine",
            ),
            "extractor": Key(kind=TEXT, default="lexical", help="who labels the reports; `ranscore score --help` names them"),
            "options": Key(
                kind=TABLE, default={}, example='{ pack = "ranscore-1" }', help="what the extractor takes: pack, mode, endpoint, model"
            ),
            "metrics": Key(
                kind=TEXTS, default=(), example='["ran-score", "bleu"]', help="which metrics", shown="all that this machine computes"
            ),
        },
    ),
    "page": ConfigTable(
        help="The running page.",
        keys={
            "address": Key(
                kind=ADDRESS, example='"https://example.org/board"', help="the address that people know; in links and citations"
            ),
            "origins": Key(kind=ADDRESSES, help="further addresses under which people reach it, and pages that may ask it"),
            "dataset": Key(kind=REPOSITORY, help="the benchmark's data set on the Hub, for `.eval_results`"),
            "proxies": Key(
                kind=NETWORKS,
                help="proxies whose `X-Forwarded-For` names the visitor; limits for one visitor count by it",
                shown="this machine; on a Space the private networks too",
            ),
        },
    ),
    "try": ConfigTable(
        help="The report generator that the page offers under *Try it*.",
        keys={
            "generator": Key(kind=TEXT, example='"trained-baseline"', help="its name; the variable `RANSCORE_GENERATOR` goes before"),
            "weights": Key(kind=PATHS, default={}, help="where its weights are, as `--weights`"),
            "set": Key(kind=VALUES, default={}, example='{ language = "en" }', help="its settings, as `--set`"),
            "device": Key(kind=TEXT, default="auto", help="`auto`, `cpu`, `cuda`, `cuda:1` or `mps`"),
            "precision": Key(kind=TEXT, default="float32", help="as `--precision`", choices=("float32", "bfloat16", "float16")),
            "seed": Key(kind=WHOLE, default=0, least=0, most=(1 << 63) - 1, help="of systems that sample"),
            "seconds": Key(kind=NUMBER, default=300.0, least=1, most=86_400, help="after which a generator that has not answered is ended"),
        },
    ),
    "hub": ConfigTable(
        help="A board whose submissions and results are data sets on the Hugging Face Hub.",
        keys={
            "submissions": Key(kind=REPOSITORY, help="the closed data set of what is submitted"),
            "results": Key(kind=REPOSITORY, help="the open data set of records, without rows and text"),
            "endpoint": Key(kind=ADDRESS, help="another Hub", shown="the public Hub"),
        },
    ),
    "fetch": ConfigTable(
        help="Where `ranscore fetch` asks instead of the sources themselves.",
        keys={
            "mirrors": Key(
                kind=MIRRORS,
                default={},
                example='{ "https://raw.githubusercontent.com" = "https://mirror.example.org/github" }',
                help="by the beginning of an address what takes its place; what comes is checked all the same",
            ),
        },
    ),
    "endpoint": ConfigTable(
        many=True,
        help="A server of a language model that may be asked; where none is listed, `http://127.0.0.1:8000/v1`.",
        keys={
            "url": Key(kind=ADDRESS, required=True, example='"http://127.0.0.1:8000/v1"', help="its address, up to `/v1`"),
            "limit": Key(kind=WHOLE, default=64, least=1, most=100_000, help="most questions in flight"),
            "model": Key(kind=TEXT, help="what this server calls the model", shown="the model's usual name"),
            "dialect": Key(
                kind=TEXT,
                choices=DIALECTS,
                help="how it is asked to restrict an answer to a set",
                shown="the model's usual one",
            ),
            "key_env": Key(kind=TEXT, default="RANSCORE_API_KEY", help="the environment variable that holds its key"),
            "credentialed": Key(
                kind=TEXT,
                example='"our own server, covered by our agreement"',
                help="why credentialed text may go there: a sentence, not `true`",
            ),
        },
    ),
    "judge": ConfigTable(
        help="The language model that judges (metrics `judge`, `green`, `crimson`) ask.",
        keys={
            "model": Key(kind=TEXT, help="what the server calls the model, or a preset's name", example='"Qwen/Qwen3-8B"'),
            "revision": Key(kind=TEXT, help="which weights, where the server does not say"),
            "endpoint": Key(kind=TEXT_OR_TEXTS, help="addresses of servers", example='["http://127.0.0.1:8000/v1"]'),
            "limit": Key(kind=WHOLE, least=0, most=100_000, help="most questions in flight at one server"),
        },
    ),
    "ray": ConfigTable(
        many=True,
        help="A Ray cluster that may see credentialed text and films.",
        keys={
            "address": Key(kind=TEXT, required=True, example='"ray://cluster.example.org:10001"', help="as `--ray`"),
            "credentialed": Key(kind=TEXT, example='"our own machines"', help="why it may: a sentence, not `true`"),
        },
    ),
    "vllm": ConfigTable(help="Further keywords for vLLM's offline engine.", keys={}, others=Key(kind=ANY, help="a keyword of `vllm.LLM`")),
    "weights": ConfigTable(
        help="Where weights are, one table `[weights.NAME]` for each report generator, metric and extractor.",
        keys={},
        others=Key(kind=PATHS, help="a table of paths"),
    ),
    **{name: ConfigTable(help="", keys=keys, older=f"weights.{name}") for name, keys in WEIGHTS.items()},
}
"""By name every table."""


def read(root: Path | None = None) -> Json:
    """What a folder's `config.toml` holds, as it is written there; empty where there is none.

    Args:
        root: A board's folder; `RANSCORE_HOME` by default.

    Raises:
        InputError: It is not TOML, or holds a table, a key or a value that is not in the list; with every mistake.
    """
    path = (root or home()) / NAME
    if not os.path.lexists(path):
        return {}
    content = _parsed(path)
    if problems := check(content, str(path)):
        raise InputError(problems)
    return content


def _parsed(path: Path) -> Json:
    if not path.is_file():
        raise InputError(Problem("it is not a file", "Move it away and write a file of this name", str(path)))
    with path.open("rb") as stream:
        content = stream.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise InputError(Problem(f"it holds more than {LONGEST:,} bytes", "Move it away and write a short one", str(path)))
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(Problem("it is not UTF-8 text", "Save it in the encoding UTF-8", str(path))) from None
    except RecursionError:
        raise InputError(Problem("its brackets are nested too deep", "Fix it or move it away", str(path))) from None
    except ValueError as error:
        what = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "a number has too many digits"
        raise InputError(Problem(f"it is not TOML: {what}", "Fix it or move it away", str(path))) from None


def check(content: Mapping[str, Any], file: str) -> list[Problem]:
    """Everything that is wrong with a configuration.

    Args:
        content: As parsed.
        file: Where it is from, for the messages.
    """
    problems: list[Problem] = []
    for name, value in content.items():
        if name not in SCHEMA:
            problems.append(_unknown(name, file))
        else:
            problems += SCHEMA[name].problems(f"[[{name}]]" if SCHEMA[name].many else f"[{name}]", value, file)
    options, named = (_inner(content, *path) for path in (("door", "options"), ("weights",)))
    problems += OPTIONS.problems("[door] options", options, file)
    for name, keys in WEIGHTS.items():
        problems += ConfigTable(help="", keys=keys).problems(f"[weights.{name}]", _inner(named, name), file)
    return list(dict.fromkeys(problems))


def _inner(content: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """A table in tables; empty where there is none, or something else in its place."""
    for name in path:
        content = found if isinstance(found := content.get(name), dict) else {}
    return content


def _unknown(name: str, file: str) -> Problem:
    """A table that is not in the list, or a key above all tables."""
    if homes := [table for table, item in SCHEMA.items() if name in item.keys]:
        return Problem(f"the key {name!r} is above all tables", f"Write it below [{homes[0]}]", file)
    current = {table: item for table, item in SCHEMA.items() if not item.older}
    return Problem(f"there is no table {name!r}", nearest(name, current, "The tables are"), file)


def table(name: str, root: Path | None = None) -> Json:
    """One table with the defaults of what it leaves out; a key without a default is left out.

    Raises:
        InputError: As `read`.
    """
    return {**defaults(name), **read(root).get(name, {})}


def tables(name: str) -> list[Json]:
    """All tables `[[name]]` of the user's file, as `table`."""
    return [defaults(name) | item for item in read().get(name, [])]


def defaults(name: str) -> Json:
    """What a table holds that is not in the file."""
    return {key: item.default for key, item in SCHEMA[name].keys.items() if item.default is not None}


def is_public(root: Path) -> bool:
    """Whether a board's folder is for other people: its file names an address of its page, or its data sets on the Hub."""
    page = read(root).get("page", {})
    return bool(page.get("address") or page.get("origins") or read(root).get("hub"))


def weights(name: str) -> Json:
    """The paths under `[weights.NAME]`, and those in the older spelling `[NAME]`."""
    content = read()
    older = content.get(name, {}) if name in WEIGHTS else {}
    return {**older, **_inner(content, "weights", name)}
