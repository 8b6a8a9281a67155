"""What the commands of the workbench do."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

FIELDS = ("means", "signs", "unclear", "guidance")
LISTS = ("word", "yes", "no")

if TYPE_CHECKING:
    from harness.extractors.llm.pack import Pack
    from validation.extractors.reference import Reference
    from validation.workbench.drafts import Guide, PackDraft
    from validation.workbench.trying import Maker, Try


def run_draft(arguments: argparse.Namespace) -> int:
    """Make a draft."""
    from validation.workbench import drafts

    made = drafts.create(arguments.name, arguments.base, arguments.mode)
    print(f"{drafts.path_of(made.name)}: a draft of {made.base}, {made.mode}")
    if made.mode == "joint":
        print("In the mode joint one question asks for everything, so each edit asks all reports again.")
    if any(guide.guidance for guide in made.guides):
        print("This pack has no structured fields: the guidance of each finding is one text.")
    print(f"Next: `ranscore pack edit {made.name} FINDING --add-word WORD`, then `ranscore pack try {made.name} --standard NAME`")
    return 0


def run_edit(arguments: argparse.Namespace) -> int:
    """Change fields, or open the editor."""
    from harness.errors import UsageError
    from validation.workbench import drafts

    draft, given = open_draft(arguments.name), edits(arguments)
    if not arguments.finding:
        if given:
            raise UsageError("say which finding the fields belong to")
        return _editor(draft)
    finding = drafts.finding_named(arguments.finding)
    if not given:
        print("\n".join(f"{field:8} {getattr(draft.guide(finding), field)}" for field in (*drafts.SAYS, "guidance")))
        return 0
    made = drafts.change(draft, finding, lambda guide: _edited(guide, given))
    path = drafts.save(made)
    print(f"{path}: {finding} {'changed' if made != draft else 'is as it was'}")
    return 0


def edits(arguments: argparse.Namespace) -> dict[str, Any]:
    """What was said of a finding's fields: texts to replace, and what to add to or take out of lists."""
    given: dict[str, Any] = {field: value for field in FIELDS if (value := getattr(arguments, field)) is not None}
    for field in LISTS:
        added: Sequence[str] = getattr(arguments, f"add_{field}")
        removed: Sequence[str] = getattr(arguments, f"remove_{field}")
        if added or removed:
            given["words" if field == "word" else field] = (tuple(added), tuple(removed))
    return given


def open_draft(name: str) -> PackDraft:
    """A draft that is not frozen, so that it may be changed.

    Raises:
        RefusedError: It is frozen.
    """
    from harness.errors import Problem, RefusedError
    from harness.extractors.llm import pack as packs
    from validation.workbench import drafts

    draft = drafts.load(name)
    if name in packs.names():
        raise RefusedError(Problem(f"the pack {name} is frozen", f"`ranscore pack draft NEW --from {name}` goes on from it"))
    return draft


def _edited(guide: Guide, given: Mapping[str, Any]) -> Guide:
    from harness.errors import UsageError

    changed: dict[str, Any] = {}
    for field, value in given.items():
        if isinstance(value, str):
            changed[field] = value
            continue
        added, removed = value
        known: tuple[str, ...] = getattr(guide, field)
        if missing := [word for word in removed if word not in known]:
            raise UsageError(f"{guide.finding}: {field} has no {missing[0]!r}")
        changed[field] = (*(word for word in known if word not in removed), *(word for word in added if word not in known))
    return replace(guide, **changed)


def _editor(draft: PackDraft) -> int:
    """Open a draft in the user's editor, and say what is wrong with it afterwards."""
    import os
    import shlex
    import subprocess

    from validation.workbench import drafts

    path, editor = drafts.path_of(draft.name), os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        print(f"{path}: edit this file (no editor is named by VISUAL or EDITOR)")
        return 0
    done = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
    drafts.load(draft.name)
    return done


def part_of(name: str, part: str) -> Reference:
    """A part of a settled study.

    Raises:
        UsageError: It is a label file, which has no patients to split.
    """
    from harness.errors import UsageError
    from validation.extractors import reference
    from validation.workbench import parts

    standard = reference.load(name)
    if standard.study is None:
        raise UsageError("a draft is tried on a settled study: a label file does not say whose reports it is about")
    return parts.part_of(standard, part)


def maker(arguments: argparse.Namespace, standard: Reference) -> Maker:
    """What makes the extractor that the options of a command describe."""
    from harness.extractors.llm import extractor as llm

    given = {key: value for key in ("endpoint", "model", "dialect") if (value := getattr(arguments, key))}

    def make(pack: Pack) -> llm.LLM:
        return llm.make(pack=pack, access=standard.access, **given)

    return make


def run_try(arguments: argparse.Namespace) -> int:
    """Ask what changed, and compare."""
    from harness.records import store
    from validation.extractors import reference
    from validation.workbench import parts, rounds, trying

    draft, part = open_draft(arguments.name), part_of(arguments.standard, parts.TUNE)
    reports = reference.reports(part, store.at(arguments.store))
    done = trying.run(draft, part, reports, rounds.of(draft.name), maker(arguments, part), store.now())
    if arguments.json:
        _print_json(done)
    else:
        _print(done, draft)
    return 0


def _print_json(done: Try) -> None:
    import json

    from validation.extractors import results

    kept = done.round
    head = {"round": kept.number, "new": done.new, "asked": kept.asked, "pack": kept.pack, "model": kept.model}
    print(json.dumps(head | {"result": results.to_json(kept.result)}, ensure_ascii=False))


def _print(done: Try, draft: PackDraft) -> None:
    from ranscore.commands.show import table
    from validation.extractors.thresholds import rules

    kept, standard, now = done.round, done.round.result.standard, done.round.now.parts[0]
    judged = rules(standard.threshold)
    before = {item.finding: item for item in kept.result.extractors[0].parts[0].findings} if done.pair else {}
    heads = ("finding", "positives", "was", "is", "recall", "precision", "F1", "fixed", "broken", "p", "smallest p")
    rows = []
    for item in now.findings:
        test = done.pair.accuracy[item.finding] if done.pair else None
        changes = (str(test.only_second), str(test.only_first), f"{test.p:.3g}", f"{test.smallest:.3g}") if test else ("",) * 4
        was = f"{before[item.finding].accuracy.value:z.3f}" if item.finding in before else ""
        shown = (f"{item.recall.value:z.3f}", f"{item.precision.value:z.3f}", f"{item.f1.value:z.3f}")
        rows.append((item.finding, str(item.positives), was, str(item.accuracy), *shown, *changes, *(rule.judge(item) for rule in judged)))
    title = f"{draft.name}, round {kept.number}, {now.items} reports of the part tune of {standard.name}"
    table((*heads, *(f"{rule.name} rule" for rule in judged)), rows, title)
    for name, gap in done.pair.macro.items() if done.pair else ():
        print(f"macro F1 over {name}: {-gap.value:+z.3f} [{-gap.high:+z.3f}, {-gap.low:+z.3f}], p = {gap.p:.3g}")
    print(_asked(done, draft))
    for finding, origin in kept.origins.items():
        print(f"{finding}: the words of {origin}")


def _asked(done: Try, draft: PackDraft) -> str:
    if not done.new:
        return f"Nothing changed since round {done.round.number}: no question was asked."
    joint = " (the mode joint asks everything again after every edit)" if draft.mode == "joint" else ""
    return f"{done.round.asked:,} questions were asked of {done.round.model}{joint}."


def run_errors(arguments: argparse.Namespace) -> int:
    """Print the reports that are labelled wrongly."""
    from harness.records import store
    from validation.extractors import reference
    from validation.readers import texts
    from validation.workbench import drafts, parts, rounds, trying

    log, finding = rounds.of(arguments.name), drafts.finding_named(arguments.finding)
    last = last_round(arguments.name)
    part = part_of(arguments.standard or last.result.standard.name, parts.TUNE)
    _same(part, last.result.standard.digest, arguments.name)
    texts.permit(part.access, arguments.agree)
    tags = {tag.item: tag.tag for tag in log.tags() if tag.finding == finding}
    shown, kept = reference.reports(part, store.at(arguments.store)), trying.wrong(part, last.decisions, finding)
    for item, right, said in kept:
        answer = {"1": "present", "0": "absent"}.get(said, "no answer")
        print(f"[{item}] readers: {'present' if right else 'absent'}; round {last.number}: {answer}; tag: {tags.get(item, 'none')}")
        print(f"{shown[item].strip()}\n")
    print(f"{finding}: {len(kept)} wrong of {len(part.items)} reports of the part tune, round {last.number}")
    return 0


def last_round(name: str) -> Any:
    """The newest round of a draft.

    Raises:
        RefusedError: It was not tried yet.
    """
    from harness.errors import Problem, RefusedError
    from validation.workbench import drafts, rounds

    drafts.load(name)
    last = rounds.of(name).last()
    if last is None:
        raise RefusedError(Problem(f"{name} was not tried yet", f"Run `ranscore pack try {name} --standard NAME`"))
    return last


def _same(part: Reference, digest: str, name: str) -> None:
    from harness.errors import Problem, RefusedError

    if part.digest != digest:
        what = f"the rounds of {name} are on another standard ({digest[:12]}) than {part.name} {part.digest[:12]}"
        raise RefusedError(Problem(what, "Name the standard of the rounds: before and after on two standards are not compared"))


def run_tag(arguments: argparse.Namespace) -> int:
    """Keep a tag."""
    from harness.errors import UsageError
    from validation.workbench import drafts, rounds

    finding, last = drafts.finding_named(arguments.finding), last_round(arguments.name)
    if arguments.item not in last.decisions:
        raise UsageError(f"there is no report {arguments.item[:20]!r} in round {last.number}; `ranscore pack errors` prints the numbers")
    rounds.of(arguments.name).add_tag(rounds.Tag(last.number, arguments.item, finding, arguments.tag))
    print(f"{arguments.name}: {finding}, report {arguments.item}: {arguments.tag}")
    return 0


def run_diff(arguments: argparse.Namespace) -> int:
    """Print how two packs or drafts differ."""
    import difflib

    first, second = _questions(arguments.name), _questions(arguments.other)
    names = [name for name in first if first[name] != second.get(name)]
    for name in names:
        before, after = first[name].splitlines(), second.get(name, "").splitlines()
        print("\n".join([f"[{name}]", *list(difflib.unified_diff(before, after, lineterm="", n=0))[2:], ""]))
    print(f"{len(names)} of {len(first)} findings differ{': ' + ', '.join(names) if names else ''}")
    return _compared(arguments.name, arguments.other)


def _questions(name: str) -> dict[str, str]:
    """By finding the guidance of a draft or a pack."""
    from harness.extractors.llm import pack as packs
    from validation.workbench import drafts

    found = drafts.load(name).pack() if name in drafts.names() and name not in packs.names() else packs.load(name)
    return {question.finding: question.guidance for question in found.questions}


def _compared(first: str, second: str) -> int:
    """The last rounds of two drafts, where both have one on the same standard and model.

    Raises:
        RefusedError: They are on two standards.
    """
    from harness.errors import Problem, RefusedError
    from validation.workbench import rounds

    one, other = (rounds.of(name).last() for name in (first, second))
    if one is None or other is None:
        return 0
    digests = [item.result.standard.digest for item in (one, other)]
    if digests[0] != digests[1]:
        what = f"{first} was tried on the standard {digests[0][:12]} and {second} on {digests[1][:12]}: they are not compared"
        raise RefusedError(Problem(what, "Try both on one standard"))
    for old, new in zip(one.now.parts[0].findings, other.now.parts[0].findings, strict=True):
        if (old.tp, old.fp, old.fn) != (new.tp, new.fp, new.fn):
            print(
                f"{old.finding}: accuracy {old.accuracy.value:z.3f} and {new.accuracy.value:z.3f}, F1 {old.f1.value:z.3f} and {new.f1.value:z.3f}"
            )
    return 0


def run_rounds(arguments: argparse.Namespace) -> int:
    """Print every finding over all rounds, and draw them where a file is named."""
    import json
    from dataclasses import asdict

    from harness.storage import files
    from ranscore.commands.show import table
    from validation.workbench import drafts, drawing, rounds

    drafts.load(arguments.name)
    log = rounds.of(arguments.name)
    history = log.history()
    if arguments.output:
        last_round(arguments.name)
        files.write(arguments.output, drawing.svg(arguments.name, history))
    if arguments.json:
        kept = asdict(history)
        print(json.dumps({"rounds": kept["numbers"], "findings": kept["findings"], "looks": len(log.looks())}))
        return 0
    heads = ["finding", *(f"round {number}" for number in history.numbers)]
    table(heads, [(name, *cells) for name, cells in drawing.rows(history).items()], "accuracy / F1")
    print(f"{len(history.numbers)} rounds; held part looked at {len(log.looks())} times; {len(log.tags())} tags")
    if arguments.output:
        print(f"{arguments.output}: the picture")
    return 0


def run_freeze(arguments: argparse.Namespace) -> int:
    """Evaluate the held part, and make a pack."""
    from harness import cohorts
    from harness.records import store
    from validation.extractors import reference
    from validation.workbench import freezing, parts, rounds

    draft, last = open_draft(arguments.name), last_round(arguments.name)
    held = part_of(arguments.standard or last.result.standard.name, parts.HELD)
    log, make, kept = rounds.of(draft.name), maker(arguments, held), store.at(arguments.store)
    cohort = cohorts.load(held.cohort_name)
    texts = freezing.every_text(cohort)
    frozen = freezing.run(draft, held, lambda: reference.reports(held, kept), texts, log, make, store.now())
    _print_held(frozen.validation.extractors[0].parts[0].findings)
    print(f"{frozen.path}: frozen as {frozen.pack.digest}")
    print(f"validation {frozen.validation.digest}")
    print(f"seal {frozen.seal}: pack and validation together; held part looked at {frozen.looks} time{'s' if frozen.looks != 1 else ''}")
    if arguments.sign:
        from validation.readers import signing
        from validation.readers.folder import Folder

        print(f"signed by key {signing.sign(Folder(log.path), 'pack', frozen.seal, arguments.sign)}")
    return 0


def _print_held(findings: Sequence[Any]) -> None:
    from ranscore.commands.show import table

    rows = [
        (item.finding, str(item.positives), str(item.accuracy), str(item.precision), str(item.recall), str(item.f1)) for item in findings
    ]
    table(("finding", "positives", "accuracy", "precision", "recall", "F1"), rows, "The held part")


def run_page(arguments: argparse.Namespace) -> int:
    """Serve the workbench until interrupted."""
    from harness.errors import UsageError
    from harness.records import store
    from validation.extractors import reference
    from validation.readers import texts
    from validation.readers.web import ListenAddress
    from validation.workbench import parts, rounds, server

    if not arguments.standard:
        raise UsageError("say with --standard on which settled study the draft is tried")
    place = ListenAddress(host=arguments.host, port=arguments.port)
    server.check(place)
    draft, part = open_draft(arguments.workbench), part_of(arguments.standard, parts.TUNE)
    texts.permit(part.access, arguments.agree)
    made = server.Workbench(
        name=draft.name,
        part=part,
        reports=reference.reports(part, store.at(arguments.store)),
        log=rounds.of(draft.name),
        make=maker(arguments, part),
        now=store.now,
    )
    server.serve(made, place, lambda address: print(f"The workbench is at {address} (Ctrl-C ends it)", flush=True))
    return 0
