"""`ranscore pack suggest`: a model proposes new guidance for one finding; a person accepts it or not."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ranscore.commands import options, pack_workbench_run

if TYPE_CHECKING:
    from harness.types import Access
    from validation.workbench.proposals import Proposal
    from validation.workbench.trying import Maker


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument("finding", metavar="FINDING", nargs="?", help="which finding; without it all proposals are listed")
    parser.add_argument("--standard", metavar="S", help="the standard (default: that of the last round)")
    parser.add_argument(
        "--with", dest="by", metavar="NAME", help="the model that proposes, or a folder or GGUF file with one (default: --model)"
    )
    parser.add_argument(
        "--with-endpoint", metavar="URL", action="append", help="a server of the model that proposes (default: --endpoint); may be repeated"
    )
    parser.add_argument("--most", metavar="N", type=int, default=4, help="how many proposals are compared (default: 4)")
    parser.add_argument("--accept", metavar="N", type=int, help="write proposal N into the draft; nothing else does")
    options.store(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Accept a proposal, list them, or search for one."""
    from validation.workbench import drafts, proposals, rounds

    log = rounds.of(arguments.name)
    if arguments.accept is not None:
        draft = pack_workbench_run.open_draft(arguments.name)
        chosen = proposals.numbered(log.proposals(), arguments.accept)
        path = drafts.save(proposals.accept(draft, chosen))
        print(f"{path}: {chosen.finding} follows {chosen.origin}")
        print(f"Next: `ranscore pack try {draft.name} --standard NAME`; its round says whose words these are.")
        return 0
    if not arguments.finding:
        drafts.load(arguments.name)
        for one in log.proposals():
            print(f"{one.number}: {one.finding}, {one.change} ({one.origin})")
        return 0
    _print(_searched(arguments), arguments.name)
    return 0


def _searched(arguments: argparse.Namespace) -> Proposal:
    from harness.records import store
    from validation.extractors import reference
    from validation.workbench import drafts, parts, rounds, suggesting

    draft, finding = pack_workbench_run.open_draft(arguments.name), drafts.finding_named(arguments.finding)
    last = pack_workbench_run.last_round(arguments.name)
    part = pack_workbench_run.part_of(arguments.standard or last.result.standard.name, parts.TUNE)
    return suggesting.run(
        draft,
        finding,
        part,
        reference.reports(part, store.at(arguments.store)),
        rounds.of(draft.name),
        pack_workbench_run.maker(arguments, part),
        _by(arguments, part.access),
        store.now(),
        arguments.most,
    )


def _by(arguments: argparse.Namespace, access: Access) -> Maker:
    """Makes an extractor that asks the model that proposes."""
    from harness.extractors.llm import extractor as llm
    from harness.extractors.llm.pack import Pack

    given = {"endpoint": arguments.with_endpoint or arguments.endpoint, "model": arguments.by or arguments.model}

    def make(pack: Pack) -> llm.LLM:
        return llm.make(pack=pack, access=access, **{key: value for key, value in given.items() if value})

    return make


def _print(made: Proposal, name: str) -> None:
    import difflib

    before, after = made.before.text().splitlines(), made.guide.text().splitlines()
    print("\n".join([f"[{made.finding}]", *list(difflib.unified_diff(before, after, lineterm="", n=0))[2:], ""]))
    print(f"On the part tune: {made.change}")
    print(f"{made.shown} wrong reports were shown to {made.model}; {made.tried} proposals were compared. Read it before you take it:")
    print(f"ranscore pack suggest {name} --accept {made.number}")
