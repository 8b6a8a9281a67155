"""`ranscore pack draft, edit, try, errors, tag, suggest, diff, rounds, freeze`: revise the questions of a pack."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ranscore.commands import options, pack_suggest, pack_workbench_run
from ranscore.commands.options import Commands

TAGS = ("synonym", "negation", "hedge", "history", "ambiguity", "reader-error")


def declare(commands: Commands) -> None:
    """Declare the commands."""
    draft = commands.add_parser("draft", help="begin to revise a pack: its questions as structured text")
    draft.add_argument("name", metavar="NEW", help="what the draft, and later the frozen pack, is called")
    draft.add_argument("--from", dest="base", metavar="OLD", default="ranscore-1", help="the pack to begin with (default: ranscore-1)")
    draft.add_argument("--mode", metavar="MODE", choices=options.MODES, default="", help="single or joint (default: the pack's first)")
    draft.set_defaults(run=pack_workbench_run.run_draft)
    _edit(_named(commands, "edit", "change what a draft says about a finding", pack_workbench_run.run_edit))
    _try(_named(commands, "try", "ask again what changed, and compare with the readers and the round before", pack_workbench_run.run_try))
    errors = _named(commands, "errors", "show the reports that are labelled wrongly, of the part tune alone", pack_workbench_run.run_errors)
    errors.add_argument("finding", metavar="FINDING", help="which finding")
    errors.add_argument("--standard", metavar="S", help="the standard (default: that of the last round)")
    errors.add_argument("--agree", metavar="SENTENCE", default="", help="for credentialed text: that you may read it")
    options.store(errors)
    tag = _named(commands, "tag", "say why an answer is wrong", pack_workbench_run.run_tag)
    tag.add_argument("finding", metavar="FINDING", help="which finding")
    tag.add_argument("item", metavar="ITEM", help="the number of the report, as `pack errors` prints it")
    tag.add_argument("tag", metavar="TAG", choices=TAGS, help=f"one of {', '.join(TAGS)}")
    suggest = _named(
        commands, "suggest", "let a model propose what a draft says about a finding, from wrong reports of the part tune", None
    )
    _model(suggest)
    pack_suggest.declare(suggest)
    diff = _named(commands, "diff", "how two packs or drafts differ: words, and rounds on the same standard", pack_workbench_run.run_diff)
    diff.add_argument("other", metavar="OTHER", help="another draft or pack")
    rounds = _named(commands, "rounds", "accuracy and F1 of every finding over all rounds", pack_workbench_run.run_rounds)
    rounds.add_argument("-o", "--output", metavar="FILE", type=_picture, help="also draw them into this file (.svg)")
    options.json(rounds)
    _freeze(_named(commands, "freeze", "evaluate the held part, and make a pack of the draft", pack_workbench_run.run_freeze))


def _named(commands: Commands, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
    parser.add_argument("name", metavar="NAME", help="the draft")
    parser.set_defaults(run=run)
    return parser


def _picture(words: str) -> Path:
    if not words.lower().endswith(".svg"):
        raise argparse.ArgumentTypeError(f"{words} does not end in .svg: the rounds are drawn as SVG")
    return Path(words)


def _edit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("finding", metavar="FINDING", nargs="?", help="which finding; without it the file opens in your editor")
    for field in pack_workbench_run.FIELDS:
        parser.add_argument(f"--{field}", metavar="TEXT", help=f"replace {field}")
    for field in pack_workbench_run.LISTS:
        parser.add_argument(f"--add-{field}", metavar="TEXT", action="append", default=[], help=f"add to {_listed(field)}; may be repeated")
        parser.add_argument(
            f"--remove-{field}", metavar="TEXT", action="append", default=[], help=f"take out of {_listed(field)}; may be repeated"
        )


def _listed(field: str) -> str:
    return {"word": "the words", "yes": "the examples of present", "no": "the examples of absent"}[field]


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoint", metavar="URL", action="append", help="an OpenAI-compatible server; may be given several times")
    parser.add_argument(
        "--model", metavar="NAME", help="the model that the server serves, or a folder or GGUF file with one to run in process"
    )
    parser.add_argument(
        "--dialect", metavar="NAME", choices=options.DIALECTS, help="how the server is asked to restrict an answer to a set"
    )


def _try(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--standard", metavar="S", required=True, help="the settled study to compare with; its part tune is used")
    _model(parser)
    options.store(parser)
    options.json(parser)


def _freeze(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--standard", metavar="S", help="the standard (default: that of the last round)")
    parser.add_argument("--sign", metavar="KEY", type=Path, help="sign with this Ed25519 private key (needs the extra `sign`)")
    _model(parser)
    options.store(parser)
