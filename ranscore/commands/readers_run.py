"""What the commands of `ranscore readers` do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranscore.commands import options, readers_tables

if TYPE_CHECKING:
    from harness.errors import InputError
    from harness.types import Access
    from validation.readers.folder import Folder
    from validation.readers.study import ReadingStudy
    from validation.readers.web import ListenAddress


def run_new(arguments: argparse.Namespace) -> int:
    """Draw and freeze."""
    import secrets

    from harness import cohorts
    from harness.records import store
    from validation.readers import create, folder

    place = folder.place(arguments.name)
    cohort = cohorts.load(arguments.cohort)
    plan = create.ReadingPlan(
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
    from harness.storage import files
    from validation.readers import page

    folder, study, texts = _with_texts(arguments)
    target = arguments.output or folder.path / "forms"
    for reader in study.readers:
        path = target / f"{folder.name}.{reader}.html"
        files.write(path, page.document(page.of_reader(folder.name, study, reader, texts)), private=True)
        print(path)
    print(f"Send each reader the own file alone. What comes back: `ranscore readers take {folder.name} FILE`")
    return 0


def _with_texts(arguments: argparse.Namespace) -> tuple[Folder, ReadingStudy, dict[str, tuple[str, ...]]]:
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


def _place(arguments: argparse.Namespace, access: Access) -> ListenAddress:
    from validation.readers.web import ListenAddress

    given = {name: getattr(arguments, name) for name in ("certificate", "key", "address") if getattr(arguments, name, None)}
    place = ListenAddress(host=arguments.host, port=arguments.port, **given)
    place.check(access)
    return place


def run_take(arguments: argparse.Namespace) -> int:
    """Keep what was submitted."""
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


def _keep(folder: Folder, study: ReadingStudy, made: Sequence[tuple[str, Any]], key: Path | None = None) -> None:
    from dataclasses import replace

    from validation.readers import signing

    for name, sheet in made:
        kept, new = folder.take(replace(sheet, number=0))
        state = "complete" if kept.closed(study) else f"open, {kept.done(study)} of {len(study.orders[kept.reader])}"
        print(f"{name}: {kept.reader}, submission {kept.number}{'' if new else ' (here already)'}, {state}, sheet {kept.digest[:12]}")
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
        state = "complete" if sheet and sheet.closed(study) else "open" if sheet else "nothing submitted"
        rows.append((reader, done, total, sheet.number if sheet else 0, served.get(reader, 0), state))
    heads = ("reader", "submitted", "of", "submissions", "on the server", "state")
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
    readers_tables.agreement(made)
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
    print(f"{target.path / standard.table_name(study.kind)}: {readers_tables.undecided(settled.data, len(study.items))}")
    if waiting:
        print(f"Sheets that were open: {', '.join(waiting)}. This is written into the standard.")
    print(f"standard {settled.digest}")
    if arguments.sign:
        print(f"signed by key {signing.sign(target, 'standard', settled.digest, arguments.sign)}")
    return 0


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
    """Write the answers for another program, or with `--text` the reports to be answered there."""
    from harness.records import store
    from harness.storage import files
    from validation.readers import exchange, folder, standard, texts

    found = folder.find(arguments.study)
    study = found.study()
    if arguments.text:
        texts.permit(study.cohort.access, arguments.agree)
        written = exchange.tasks(study, arguments.format, texts.load(study, store.at(arguments.store)))
    else:
        counting = found.counting()
        if not counting:
            raise _nothing_submitted(found.name)
        standard.guard(found, study, counting, arguments.interim, store.now())
        written = exchange.write(study, counting, arguments.format)
    for name, content in written.items():
        files.write(arguments.output / name, content, private=arguments.text)
        print(arguments.output / name)
    return 0


def _nothing_submitted(name: str) -> InputError:
    from harness.errors import InputError, Problem

    remedy = f"Run `ranscore readers take {name} FILE` first, or say --text, which writes the reports to be answered elsewhere"
    return InputError(Problem("nobody has submitted an answer", remedy))


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
