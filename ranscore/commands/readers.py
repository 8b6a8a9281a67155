"""`ranscore readers`: a reference standard by people: draw, read blind, settle, check."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ranscore.commands import options, readers_run, readers_score
from ranscore.commands.options import Commands

KINDS = ("findings", "pairs", "rating")
FORMATS = ("csv", "label-studio", "doccano")


def register(commands: Commands) -> None:
    """Declare the commands."""
    group = commands.add_parser("readers", help="make a reference standard: people read reports blind").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    _new(group.add_parser("new", help="draw what is read, and freeze the study"))
    sheets = _named(group, "sheets", "write a page for each reader, to be opened by double-click", readers_run.run_sheets)
    sheets.add_argument("-o", "--output", metavar="DIR", type=Path, help="where to (default: forms in the study's folder)")
    _agree(sheets)
    options.store(sheets)
    _serve(_named(group, "serve", "serve the sheets: each reader at a secret address, every answer on disk at once", readers_run.run_serve))
    take = _named(group, "take", "take what readers submitted", readers_run.run_take)
    take.add_argument("files", metavar="FILE", type=Path, nargs="+", help="files that readers saved")
    _sign(take)
    options.json(_named(group, "status", "who has read how much", readers_run.run_status))
    agree = _named(group, "agree", "how far the readers agree", readers_run.run_agree)
    _interim(agree)
    options.store(agree)
    options.json(agree)
    settle = _named(group, "settle", "apply the rule, and write the standard and its labels", readers_run.run_settle)
    settle.add_argument(
        "--as", dest="other", metavar="NAME", help="write it as a study of another name: a corrected standard is another standard"
    )
    _interim(settle)
    options.store(settle)
    _sign(settle)
    check = _named(group, "check", "verify every digest and signature, and compute the standard again", readers_run.run_check)
    options.store(check)
    options.json(check)
    _export(_named(group, "export", "write the answers for another program", readers_run.run_export))
    _import(_named(group, "import", "take answers that another program collected", readers_run.run_import))
    _practise(_named(group, "practise", "serve a settled standard as an exercise", readers_run.run_practise))
    readers_score.register(group)
    demo = group.add_parser("demo", help="make a synthetic study with six simulated readers, and settle it")
    demo.add_argument("--items", type=int, default=300, metavar="N", help="reports to read (default: 300)")
    demo.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed gives the same study (default: 0)")
    demo.set_defaults(run=readers_run.run_demo)


def _named(group: Commands, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = group.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
    parser.add_argument("study", metavar="NAME|DIR", help="the study: its name, or its folder")
    parser.set_defaults(run=run)
    return parser


def _new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what the study is called; its folder in RANSCORE_HOME/readers")
    options.cohort(parser, required=True)
    parser.add_argument("--part", choices=("test", "dev", "train"), default="test", help="the part that is drawn from (default: test)")
    parser.add_argument("--kind", choices=KINDS, default="findings", help="what is asked (default: findings)")
    parser.add_argument("--items", type=int, default=300, metavar="N", help="how many studies are read (default: 300)")
    parser.add_argument("--readers", type=int, default=6, metavar="N", help="how many people read (default: 6)")
    parser.add_argument(
        "--draw",
        choices=("random", "rare"),
        default="random",
        help="random, for the score's correction; rare: as many of each rarest finding that the extractor sees, with weights (default: random)",
    )
    parser.add_argument("--ids", metavar="FILE", type=Path, help="study ids, one a line, that take the place of the draw")
    parser.add_argument("--repeats", type=int, metavar="N", help="how many each reader reads twice (default: one in ten, at most 20)")
    parser.add_argument("--majority", type=int, metavar="N", help="so many equal answers decide (default: more than half, 4 of 6)")
    parser.add_argument(
        "--system",
        metavar="NAME",
        action="append",
        default=[],
        help="read reports of this record of the store too: for pairs and ratings, and for findings beside the originals; may be repeated",
    )
    parser.add_argument("--with-reference", action="store_true", help="for ratings: show the original report beside")
    parser.add_argument("--language", choices=("en", "zh"), default="", help="of the questions (default: the cohort's)")
    parser.add_argument("--threshold", default="", metavar="TEXT", help="what an extractor must reach on this standard")
    parser.add_argument("--decided-by", default="", metavar="TEXT", help="who decided rule and threshold, and how")
    parser.add_argument("--seed", default="", metavar="TEXT", help="decides the draw and the orders (default: drawn at random, and kept)")
    options.extractor(parser)
    options.store(parser)
    parser.set_defaults(run=readers_run.run_new)


def _agree(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agree", metavar="SENTENCE", default="", help="for credentialed text: that every reader may read it")


def _sign(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sign", metavar="KEY", type=Path, help="sign with this Ed25519 private key (needs the extra `sign`)")


def _interim(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interim", action="store_true", help="although sheets are open; it is written into the standard for ever")


def _listen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default: 127.0.0.1, this machine alone)")
    parser.add_argument("--port", type=int, default=7861, metavar="N", help="which port; 0 takes a free one (default: 7861)")


def _serve(parser: argparse.ArgumentParser) -> None:
    _listen(parser)
    parser.add_argument("--certificate", metavar="FILE", type=Path, help="PEM: encrypt; needed for credentialed text on a network")
    parser.add_argument("--key", metavar="FILE", type=Path, help="the certificate's key, PEM")
    parser.add_argument("--address", default="", metavar="URL", help="under which readers reach it, where a proxy is before it")
    _agree(parser)
    options.store(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="the folder to write into")
    parser.add_argument("--format", choices=FORMATS, default="csv", help="whose form (default: csv)")
    parser.add_argument(
        "--text", action="store_true", help="the reports in place of answers: tasks for that program, a file for each reader"
    )
    _interim(parser)
    _agree(parser)
    options.store(parser)


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help="CSV, Label Studio's JSON or doccano's JSONL")
    parser.add_argument(
        "--reader", default="", metavar="ALIAS", help="whose answers they are, such as reader-2, where the file does not say"
    )
    parser.add_argument("--rest-absent", action="store_true", help="what is not named is absent; noted in the sheet")


def _practise(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--items", type=int, default=20, metavar="N", help="how many reports (default: 20)")
    parser.add_argument("--seed", default="", metavar="TEXT", help="decides which reports (default: others each time)")
    _listen(parser)
    _agree(parser)
    options.store(parser)
