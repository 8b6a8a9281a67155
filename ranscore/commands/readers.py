"""`ranscore readers`: a reference standard by people: draw, read blind, settle, check."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from harness.types import Access, Json
    from validation.readers.folder import Folder
    from validation.readers.study import Study
    from validation.readers.web import Place

KINDS = ("findings", "pairs", "rating")
FORMATS = ("csv", "label-studio", "doccano")


def register(commands: Commands) -> None:
    """Declare the commands."""
    group = commands.add_parser("readers", help="make a reference standard: people read reports blind").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    _new(group.add_parser("new", help="draw what is read, and freeze the study"))
    sheets = _named(group, "sheets", "write a page for each reader, to be opened by double-click", run_sheets)
    sheets.add_argument("-o", "--output", metavar="DIR", type=Path, help="where to (default: forms in the study's folder)")
    _agree(sheets)
    options.store(sheets)
    _serve(_named(group, "serve", "serve the sheets: each reader at a secret address, every answer on disk at once", run_serve))
    take = _named(group, "take", "take what readers handed in", run_take)
    take.add_argument("files", metavar="FILE", type=Path, nargs="+", help="files that readers saved")
    _sign(take)
    options.json(_named(group, "status", "who has read how much", run_status))
    agree = _named(group, "agree", "how far the readers agree", run_agree)
    _interim(agree)
    options.store(agree)
    options.json(agree)
    settle = _named(group, "settle", "apply the rule, and write the standard and its labels", run_settle)
    settle.add_argument(
        "--as", dest="other", metavar="NAME", help="write it as a study of another name: a corrected standard is another standard"
    )
    _interim(settle)
    options.store(settle)
    _sign(settle)
    check = _named(group, "check", "verify every digest and signature, and compute the standard again", run_check)
    options.store(check)
    options.json(check)
    _export(_named(group, "export", "write the answers for another program", run_export))
    _import(_named(group, "import", "take answers that another program collected", run_import))
    _practise(_named(group, "practise", "serve a settled standard as an exercise", run_practise))
    demo = group.add_parser("demo", help="make a synthetic study with six simulated readers, and settle it")
    demo.add_argument("--items", type=int, default=300, metavar="N", help="reports to read (default: 300)")
    demo.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed gives the same study (default: 0)")
    demo.set_defaults(run=run_demo)


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
        "--system", metavar="NAME", action="append", default=[], help="for pairs and ratings: a record of the store; may be repeated"
    )
    parser.add_argument("--with-reference", action="store_true", help="for ratings: show the original report beside")
    parser.add_argument("--language", choices=("en", "zh"), default="", help="of the questions (default: the cohort's)")
    parser.add_argument("--threshold", default="", metavar="TEXT", help="what an extractor must reach on this standard")
    parser.add_argument("--decided-by", default="", metavar="TEXT", help="who decided rule and threshold, and how")
    parser.add_argument("--seed", default="", metavar="TEXT", help="decides the draw and the orders (default: drawn at random, and kept)")
    options.extractor(parser)
    options.store(parser)
    parser.set_defaults(run=run_new)


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
    parser.add_argument("--address", default="", metavar="URL", help="under which readers reach it, where a proxy stands before it")
    _agree(parser)
    options.store(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="the folder to write into")
    parser.add_argument("--format", choices=FORMATS, default="csv", help="whose form (default: csv)")
    parser.add_argument("--text", action="store_true", help="with the reports, so that they can be read in that program")
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


def run_new(arguments: argparse.Namespace) -> int:
    """Draw and freeze."""
    import secrets

    from harness import cohorts
    from harness.records import store
    from validation.readers import create, folder

    place = folder.place(arguments.name)
    cohort = cohorts.load(arguments.cohort)
    plan = create.Plan(
        kind=arguments.kind,
        part=arguments.part,
        items=arguments.items,
        readers=arguments.readers,
        how=arguments.draw,
        repeats=arguments.repeats,
        at_least=arguments.majority,
        language=arguments.language,
        listed=_ids(arguments.ids),
        systems=arguments.system,
        with_reference=arguments.with_reference,
        threshold=arguments.threshold,
        decided_by=arguments.decided_by,
    )
    extractor = _extractor(arguments, cohort.manifest.access) if arguments.draw == "rare" and not plan.listed else None
    seed = arguments.seed or secrets.token_hex(16)
    study = create.study(cohort, plan, seed=seed, salt=secrets.token_hex(32), store=store.at(arguments.store), extractor=extractor)
    place.freeze(study)
    print(f"{place.path}: {len(study.items)} items, {len(study.readers)} readers, {study.at_least} equal answers decide")
    print(f"study {study.digest}")
    print(f"Next: `ranscore readers sheets {place.name}`, or `ranscore readers serve {place.name}`")
    return 0


def _ids(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    from harness.errors import InputError, Problem

    try:
        names = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise InputError(Problem("it is not UTF-8", "Write one study id a line", str(path))) from None
    if not names or len(set(names)) < len(names):
        raise InputError(Problem("it holds no id, or one twice", "Write each study id once, one a line", str(path)))
    return tuple(names)


def _extractor(arguments: argparse.Namespace, access: Access) -> Any:
    from harness.extractors import DEFAULT, extractor

    name, chosen = arguments.extractor or DEFAULT, options.llm_options(arguments)
    return extractor(name, **(chosen | {"access": access.value} if name == "llm" else chosen))


def run_sheets(arguments: argparse.Namespace) -> int:
    """Write a page for each reader."""
    from harness import files
    from validation.readers import page

    folder, study, texts = _with_texts(arguments)
    target = arguments.output or folder.path / "forms"
    for reader in study.readers:
        path = target / f"{folder.name}.{reader}.html"
        files.write(path, page.document(page.of_reader(folder.name, study, reader, texts)))
        path.chmod(0o600)
        print(path)
    print(f"Send each reader the own file alone. What comes back: `ranscore readers take {folder.name} FILE`")
    return 0


def _with_texts(arguments: argparse.Namespace) -> tuple[Folder, Study, dict[str, tuple[str, ...]]]:
    """A study with its texts, where they may be shown."""
    from harness.records import store
    from validation.readers import folder, texts

    found = folder.find(arguments.study)
    study = found.study()
    texts.permit(study.cohort.access, arguments.agree)
    return found, study, texts.load(study, store.at(arguments.store))


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from validation.readers import server

    folder, study, texts = _with_texts(arguments)
    place = _place(arguments, study.cohort.access)

    def tell(addresses: Any) -> None:
        print(f"The sheets of {folder.name} are at (Ctrl-C ends it; give each reader the own address alone):")
        for reader, address in addresses.items():
            print(f"{reader}  {address}", flush=True)

    server.serve(folder, study, texts, place, tell)
    return 0


def _place(arguments: argparse.Namespace, access: Access) -> Place:
    from validation.readers.web import Place

    given = {name: getattr(arguments, name) for name in ("certificate", "key", "address") if getattr(arguments, name, None)}
    place = Place(host=arguments.host, port=arguments.port, **given)
    place.check(access)
    return place


def run_take(arguments: argparse.Namespace) -> int:
    """Keep what was handed in."""
    from harness.errors import InputError, Problem
    from validation.readers import folder, sheets

    found = folder.find(arguments.study)
    study, made = found.study(), []
    problems: list[Problem] = []
    for path in arguments.files:
        try:
            made.append((path, sheets.read(path.read_bytes(), study, str(path))))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    _keep(found, study, [(str(path), sheet) for path, sheet in made], arguments.sign)
    return 0


def _keep(folder: Folder, study: Study, made: Sequence[tuple[str, Any]], key: Path | None = None) -> None:
    from dataclasses import replace

    from validation.readers import signing

    for name, sheet in made:
        kept, new = folder.take(replace(sheet, number=0))
        state = "complete" if kept.closed(study) else f"open, {kept.done(study)} of {len(study.orders[kept.reader])}"
        print(f"{name}: {kept.reader}, hand-in {kept.number}{'' if new else ' (here already)'}, {state}, sheet {kept.digest[:12]}")
        if key:
            print(f"signed by key {signing.sign(folder, 'sheet', kept.digest, key)}")
    if (folder.path / "standard.json").is_file():
        print("The standard of this study is settled and does not change; `ranscore readers settle --as NAME` makes a corrected one.")


def run_status(arguments: argparse.Namespace) -> int:
    """Who has read how much; no answer is shown."""
    import json

    from ranscore.commands.show import table
    from validation.readers import folder, server

    found = folder.find(arguments.study)
    study, counting, served = found.study(), found.counting(), {}
    served = server.progress(found, study)
    rows = []
    for reader in study.readers:
        sheet, total = counting.get(reader), len(study.orders[reader])
        done = sheet.done(study) if sheet else 0
        state = "complete" if sheet and sheet.closed(study) else "open" if sheet else "nothing handed in"
        rows.append((reader, done, total, sheet.number if sheet else 0, served.get(reader, 0), state))
    heads = ("reader", "handed in", "of", "hand-ins", "on the server", "state")
    if arguments.json:
        print(json.dumps({"study": study.digest, "looks": found.looks(), "readers": [dict(zip(heads, row, strict=True)) for row in rows]}))
        return 0
    table(heads, [tuple(map(str, row)) for row in rows])
    print(f"study {study.digest[:12]}; early looks at the agreement: {found.looks()}")
    return 0


def run_agree(arguments: argparse.Namespace) -> int:
    """Print the agreement; with open sheets only where that is asked for, and noted."""
    import json

    from harness.records import store
    from validation.readers import folder, ratings, rule, standard, tables

    found = folder.find(arguments.study)
    study, counting = found.study(), found.counting()
    standard.guard(found, study, counting, arguments.interim, store.now())
    answers = rule.answers(study, counting)
    made = tables.make(study, answers)
    if study.kind == "rating":
        made["rating"] = {
            "systems": ratings.judged(study, answers),
            "metrics": ratings.against_metrics(study, answers, store.at(arguments.store)),
        }
    if arguments.json:
        print(json.dumps(made, ensure_ascii=False))
        return 0
    print_agreement(made)
    return 0


def run_settle(arguments: argparse.Namespace) -> int:
    """Apply the rule and write the standard."""
    from harness.records import store
    from validation.readers import copies, folder, ratings, rule, signing, standard

    found = folder.find(arguments.study)
    study, counting = found.study(), found.counting()
    waiting = standard.guard(found, study, counting, arguments.interim, store.now())
    settled = standard.settle(study, counting, found.looks())
    if study.kind == "rating":
        answers = rule.answers(study, counting)
        settled.data["rating"] = {
            "systems": ratings.judged(study, answers),
            "metrics": ratings.against_metrics(study, answers, store.at(arguments.store)),
        }
    target = copies.of(found, folder.place(arguments.other)) if arguments.other else found
    new = standard.write(target, settled)
    print(f"{target.path / 'standard.json'}: {'settled' if new else 'settled before, nothing changed'}")
    print(f"{target.path / standard.table_name(study.kind)}: {_undecided(settled.data, len(study.items))}")
    if waiting:
        print(f"Sheets that were open: {', '.join(waiting)}. This is written into the standard.")
    print(f"standard {settled.digest}")
    if arguments.sign:
        print(f"signed by key {signing.sign(target, 'standard', settled.digest, arguments.sign)}")
    return 0


def _undecided(data: Json, items: int) -> str:
    causes: dict[str, int] = {}
    for counts in data["undecided"].values():
        for cause, count in counts.items():
            causes[cause] = causes.get(cause, 0) + count
    listed = ", ".join(f"{count} {'uncertain by majority' if cause == 'uncertain' else cause}" for cause, count in sorted(causes.items()))
    questions = len(data["agreement"]["questions"])
    return f"{items} items, {items * questions:,} decisions; without a certain majority: {listed or 'none'}"


def run_check(arguments: argparse.Namespace) -> int:
    """Check everything; 1 where something is wrong."""
    import json

    from harness.records import store
    from validation.readers import check, folder

    found = check.check(folder.find(arguments.study), store.at(arguments.store))
    if arguments.json:
        print(json.dumps([{"what": item.what, "good": item.good, "note": item.note} for item in found], ensure_ascii=False))
    else:
        for item in found:
            print(f"{ {True: 'good', False: 'WRONG', None: '-'}[item.good]:6}{item.what}: {item.note}")
    return int(any(item.good is False for item in found))


def run_export(arguments: argparse.Namespace) -> int:
    """Write the answers for another program."""
    from harness import files
    from harness.records import store
    from validation.readers import exchange, folder, standard, texts

    found = folder.find(arguments.study)
    study, counting = found.study(), found.counting()
    if counting:
        standard.guard(found, study, counting, arguments.interim, store.now())
    loaded = None
    if arguments.text:
        texts.permit(study.cohort.access, arguments.agree)
        loaded = texts.load(study, store.at(arguments.store))
    for name, content in exchange.write(study, counting, arguments.format, loaded).items():
        files.write(arguments.output / name, content)
        print(arguments.output / name)
    return 0


def run_import(arguments: argparse.Namespace) -> int:
    """Take answers that another program collected."""
    from validation.readers import exchange, folder

    found = folder.find(arguments.study)
    study = found.study()
    made = [(str(path), sheet) for path in arguments.files for sheet in exchange.read(path, study, arguments.reader, arguments.rest_absent)]
    _keep(found, study, made)
    return 0


def run_practise(arguments: argparse.Namespace) -> int:
    """Serve an exercise until interrupted."""
    import secrets

    from validation.readers import practise

    folder, study, texts = _with_texts(arguments)
    place = _place(arguments, study.cohort.access)
    made = practise.exercise(folder, texts, arguments.items, arguments.seed or secrets.token_hex(8))
    practise.serve(made, place, lambda address: print(f"The exercise is at {address} (Ctrl-C ends it; nothing is kept)", flush=True))
    return 0


def run_demo(arguments: argparse.Namespace) -> int:
    """Make the synthetic study, and show what each command says of it."""
    from validation.readers import demo

    folder = demo.make(arguments.items, arguments.seed)
    print(f"{folder.path}: a synthetic study with six simulated readers\n")
    for command, run in (("status", run_status), ("agree", run_agree), ("settle", run_settle), ("check", run_check)):
        print(f"$ ranscore readers {command} {folder.name}")
        run(argparse.Namespace(study=str(folder.path), json=False, interim=False, store=None, other=None, sign=None))
        print()
    print(f"A sheet to try: {folder.path / 'forms' / f'{folder.name}.reader-1.html'}")
    print(f"An exercise: `ranscore readers practise {folder.name}`; the tab Readers: `ranscore serve`")
    return 0


def print_agreement(made: Json) -> None:
    """The tables of agreement on the terminal."""
    from ranscore.commands.show import table

    heads = ("question", "positive", "undecided", "raw", "AC1", "Fleiss", "alpha", "Cohen", "agree +", "agree -", "with oneself")
    shown = ("raw", "ac1", "fleiss", "alpha", "cohen", "positive", "negative")
    rows = []
    for item in made["questions"]:
        cells = [_number(item["measures"][name]) for name in shown] if not item["few"] else ["cannot say", *[""] * 6]
        own = item["self"]
        rows.append((item["name"], _positive(item), str(sum(item["undecided"].values())), *cells, _own(own)))
    overall = made["overall"]
    rows.append(("all together", "", "", *(_number(overall["measures"][name]) for name in shown), _own(overall["self"])))
    table(heads, rows, f"{made['items']} items of {made['patients']} patients, {made['readers']} readers; 95 % intervals over patients")
    _print_pairs(made)
    _print_rating(made.get("rating"))


def _positive(item: Json) -> str:
    counts = item["answers"]
    return " ".join(str(count) for count in counts.values()) if set(counts) == {"0", "1", "2"} else str(counts.get("1", 0))


def _own(own: Json) -> str:
    return _number(own["measures"]["cohen"]) if not own["few"] else "cannot say"


def _number(triple: Sequence[float]) -> str:
    return f"{triple[0]:.2f} [{triple[1]:.2f}, {triple[2]:.2f}]"


def _print_pairs(made: Json) -> None:
    from ranscore.commands.show import table

    size = made["readers"]
    cells = {(one, other): f"{value:.2f}" for one, other, value, *_ in made["pairs"]}
    names = [f"R{number + 1}" for number in range(size)]
    rows = [(names[one], *(cells.get((min(one, other), max(one, other)), "-") for other in range(size))) for one in range(size)]
    table(("Cohen's kappa", *names), rows)


def _print_rating(rating: Json | None) -> None:
    from ranscore.commands.show import table

    if not rating:
        return
    names = list(rating["systems"][0]["means"]) if rating["systems"] else []
    table(
        ("system", "reports", *names),
        [(row["system"], str(row["reports"]), *_cells(row["means"][name] for name in names)) for row in rating["systems"]],
    )
    if rating["metrics"]:
        heads = ("tau-b with the judgement", "within a study", "all reports", "systems")
        table(heads, [(row["metric"], *_cells(row[name] for name in ("within", "across", "systems"))) for row in rating["metrics"]])


def _cells(triples: Iterable[Sequence[float] | None]) -> list[str]:
    return [_number(triple) if triple else "cannot say" for triple in triples]
