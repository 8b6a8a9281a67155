"""Options that several commands share: named once, the same everywhere."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness.errors import UsageError

CHOICES = ("yes", "no", "unknown")
PRECISIONS = ("float32", "bfloat16", "float16")
SECTIONS = ("findings", "impression", "both")
# The names in `harness.extractors`, which is not imported here, so that the help answers at once. A test compares both.
EXTRACTORS = ("lexical", "llm", "recorded")
MODES = ("single", "joint")
DIALECTS = ("vllm", "sglang", "llama.cpp", "openai")

Commands = Any
"""What `add_subparsers` returns; argparse has no public name for it."""


def cohort(parser: argparse.ArgumentParser, required: bool = False) -> None:
    """`--cohort`."""
    parser.add_argument("--cohort", metavar="NAME|DIR", required=required, help="a built cohort: its name, or the folder it is in")


def references(parser: argparse.ArgumentParser) -> None:
    """`--references` and `--open`: a cohort given as a file."""
    parser.add_argument(
        "--references", metavar="FILE", type=Path, help="the original reports as a file (study_id, report), instead of a cohort"
    )
    parser.add_argument(
        "--open", action="store_true", help="the text of --references is public; without this it is treated as credentialed"
    )


def cohort_name(parser: argparse.ArgumentParser) -> None:
    """`--cohort-name`."""
    parser.add_argument(
        "--cohort-name",
        metavar="NAME",
        default="",
        help="what records and boards call the cohort of --references (default: the file's name)",
    )


def columns(parser: argparse.ArgumentParser) -> None:
    """`--id-column` and `--report-column`."""
    for key, name in (("id", "study_id"), ("report", "report")):
        parser.add_argument(f"--{key}-column", metavar="NAME", help=f"what a file calls the column {name}, where it does not call it so")


def named_columns(arguments: argparse.Namespace) -> dict[str, str]:
    """What was said of the options of `columns`, by the program's names."""
    given = {"study_id": arguments.id_column, "report": arguments.report_column}
    return {name: value for name, value in given.items() if value}


def columns_of(path: Path, arguments: argparse.Namespace) -> dict[str, str]:
    """As `named_columns`, those alone that a file of references has, by the keys of `harness.cohorts.table.COLUMNS`."""
    from harness.formats import tabular

    found = tabular.having(path, named_columns(arguments)) if path.is_file() else {}
    return {"id" if name == "study_id" else name: given for name, given in found.items()}


def clean(parser: argparse.ArgumentParser) -> None:
    """`--clean`."""
    what = "take stray markup and control characters out of the reports instead of refusing the file; what was changed is counted"
    parser.add_argument("--clean", action="store_true", help=what)


def extractor(parser: argparse.ArgumentParser, *more: str) -> None:
    """`--extractor` and what the llm extractor takes.

    Args:
        more: Extractors of other findings than the 21, where the command takes them.
    """
    names = (*EXTRACTORS, *more)
    text = f"who labels the reports: {', '.join(names)}, or one of another package (default: lexical)"
    parser.add_argument("--extractor", metavar="NAME", type=_known_extractor, help=text)
    llm(parser)


def _known_extractor(name: str) -> str:
    """The name of an extractor.

    Raises:
        UsageError: There is no such extractor, here or in another package.
    """
    from harness.extractors import REGISTRY
    from harness.registry import near

    if name not in REGISTRY:
        raise UsageError(f"there is no extractor {name!r}{near(name, REGISTRY)}; there are {', '.join(REGISTRY)}")
    return name


def llm(parser: argparse.ArgumentParser) -> None:
    """`--pack`, `--mode`, `--endpoint`, `--model`, `--dialect`."""
    parser.add_argument("--pack", metavar="NAME", help="the frozen prompts of the llm extractor")
    parser.add_argument(
        "--mode", metavar="MODE", choices=MODES, help="how the pack asks: single (one question a finding) or joint (all in one answer)"
    )
    parser.add_argument("--endpoint", metavar="URL", action="append", help="an OpenAI-compatible server; may be given several times")
    parser.add_argument(
        "--model", metavar="NAME", help="the model that the server serves, or a folder or GGUF file with one to run in process"
    )
    parser.add_argument(
        "--dialect",
        metavar="NAME",
        choices=DIALECTS,
        help="how the server is asked to restrict an answer to a set: vllm, sglang, llama.cpp, or openai (not at all)",
    )


def llm_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What was said of the llm extractor's options, as its factory takes them."""
    return {key: value for key in ("pack", "mode", "endpoint", "model", "dialect") if (value := getattr(arguments, key))}


def metrics(
    parser: argparse.ArgumentParser, default: str = "ran-score, those of the profile, and chexbert-f1 where its weights are"
) -> None:
    """`--metrics` and `--profile`."""
    parser.add_argument(
        "--metrics",
        metavar="A,B",
        help=f"which metrics, separated by commas; `ranscore metrics` lists them (default: {default})",
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="whose recipes the text metrics follow; `all` prints every one; `ranscore metrics` lists them"
    )


def store(parser: argparse.ArgumentParser) -> None:
    """`--store`."""
    parser.add_argument(
        "--store", metavar="DIR", type=Path, nargs="?", const=Path(), help="the store of records (default: the one in RANSCORE_HOME)"
    )


def json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text for people")


def card(parser: argparse.ArgumentParser) -> None:
    """Who made the reports."""
    group = parser.add_argument_group("who made the reports")
    group.add_argument("--name", help="the system's name (default: that of the run that wrote the file, else the file's)")
    group.add_argument("--system-version", default="", metavar="V", help="the system's version")
    group.add_argument("--organisation", default="", metavar="O", help="who is behind it")
    group.add_argument("--link", default="", metavar="URL", help="its paper or page")
    group.add_argument("--open-weights", choices=CHOICES, default="unknown", help="whether its weights are public")
    group.add_argument("--trained-on-cohort", choices=CHOICES, default="unknown", help="whether it was trained on studies of this cohort")
    group.add_argument("--sections", choices=SECTIONS, help="what it writes")


def ray(parser: argparse.ArgumentParser) -> None:
    """`--ray` and `--actors`."""
    parser.add_argument(
        "--ray", metavar="ADDRESS", nargs="?", const="local", help="spread the work with Ray: over this machine, or the cluster at ADDRESS"
    )
    parser.add_argument("--actors", metavar="N", type=int, default=2, help="with --ray: in how many processes (default: 2)")


def board(parser: argparse.ArgumentParser) -> None:
    """`--board`."""
    parser.add_argument("--board", metavar="DIR", type=Path, help="the board's folder (default: RANSCORE_HOME)")


def listen(parser: argparse.ArgumentParser) -> None:
    """`--host` and `--port`."""
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default: 127.0.0.1, this machine alone)")
    parser.add_argument("--port", type=_port, default=7860, metavar="N", help="which port; 0 takes a free one (default: 7860)")


def _port(text: str) -> int:
    """A port's number.

    Raises:
        ArgumentTypeError: It is none.
    """
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def machine(parser: argparse._ActionsContainer) -> None:
    """`--device`, `--precision`, `--seed`, `--weights`, `--set`: how a report generator is run."""
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 or mps")
    parser.add_argument("--precision", choices=PRECISIONS, help="default: float32 on a CPU, the published one elsewhere")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of systems that sample (default: 0)")
    parser.add_argument(
        "--weights", action="append", default=[], metavar="NAME=PATH", help="the path of one of its weights; may be repeated"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of this system; may be repeated")
