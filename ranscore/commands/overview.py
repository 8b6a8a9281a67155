"""The help of `ranscore` itself: commands in groups, and an example for each command."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {
    "score reports": ("score", "rank", "validate", "verify", "compare", "label", "metrics"),
    "the board": ("demo", "board", "serve", "site", "snapshot", "rescore"),
    "cohorts and baselines": ("fetch", "cohort", "systems", "generate", "floors", "card", "train-baseline", "weights"),
    "submit to a board": ("submit", "receipt", "withdraw", "rexrank"),
    "run a board": ("worker", "moderate", "health", "backup", "restore"),
    "extractor": ("extractor", "pack", "cache"),
    "validation": ("readers", "bench", "labels", "taxonomy"),
}
"""By heading the commands in the order in which a newcomer needs them; one that is in no group comes last, under "more"."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "score": (
        "ranscore score predictions.csv --references references.csv --open --store",
        "ranscore score predictions.csv --cohort open-i-590 -o record.json",
    ),
    "rank": (
        "ranscore rank mine.csv theirs.csv --references references.csv --open",
        "ranscore rank mine=run1.csv,run2.csv theirs.csv --cohort open-i-590 -o table.tex",
    ),
    "validate": ("ranscore validate predictions.csv --references references.csv",),
    "verify": ("ranscore verify record.json predictions.csv --references references.csv --open",),
    "compare": ("ranscore compare my-system other-system",),
    "label": ("ranscore label reports.csv -o labels.csv",),
    "labels": ("ranscore labels release labels.csv --cohort open-i-590 -o release",),
    "labels release": ("ranscore labels release labels.csv --cohort open-i-590 --validation validation.json -o release",),
    "metrics": ("ranscore metrics",),
    "demo": ("ranscore demo --no-serve", "ranscore demo --real"),
    "board": ("ranscore board", "ranscore board --format latex"),
    "serve": ("ranscore serve --port 7860",),
    "site": ("ranscore site -o site",),
    "snapshot": ("ranscore snapshot",),
    "rescore": ("ranscore rescore --metrics bleu",),
    "cohort": ("ranscore cohort build synthetic --studies 60", "ranscore cohort show"),
    "cohort build": ("ranscore cohort build table --file references.csv --open",),
    "cohort show": ("ranscore cohort show synthetic",),
    "systems": ("ranscore systems list",),
    "systems list": ("ranscore systems list --json", "ranscore systems list --fits"),
    "systems check": ("ranscore systems check promptmrg --weights checkpoint=model.pth",),
    "generate": ("ranscore generate trained-baseline --cohort synthetic --weights model=baseline.npz -o reports.jsonl",),
    "fetch": ("ranscore fetch --list", "ranscore fetch moerad-iu"),
    "rexrank": ("ranscore rexrank export reports.jsonl --cohort rexrank-iu -o submission.json",),
    "rexrank export": ("ranscore rexrank export reports.jsonl --cohort rexrank-iu -o submission.json",),
    "floors": ("ranscore floors --cohort synthetic --store",),
    "card": ("ranscore card --tiny -o card",),
    "train-baseline": ("ranscore train-baseline --cohort synthetic -o baseline.npz",),
    "weights": ("ranscore weights convert model.pth model.safetensors",),
    "weights convert": ("ranscore weights convert model.pth model.safetensors",),
    "submit": ("ranscore submit predictions.csv --cohort open-i-590 --name my-system --dry-run",),
    "receipt": ("ranscore receipt CODE",),
    "withdraw": ("ranscore withdraw CODE",),
    "worker": ("ranscore worker --once",),
    "moderate": ("ranscore moderate list",),
    "moderate list": ("ranscore moderate list",),
    "health": ("ranscore health",),
    "backup": ("ranscore backup board.zip",),
    "restore": ("ranscore restore board.zip --board new-board",),
    "extractor": ("ranscore extractor check --endpoint http://127.0.0.1:8000/v1",),
    "extractor check": ("ranscore extractor check --endpoint http://127.0.0.1:8000/v1 --model qwen3-14b",),
    "extractor show": ("ranscore extractor show --extractor lexical",),
    "extractor validate": ("ranscore extractor validate --standard lung-300 --extractor lexical llm,pack=ranscore-1",),
    "pack": ("ranscore pack list",),
    "pack import": ("ranscore pack import authors-clone/run_qwen_extractor.py",),
    "pack show": ("ranscore pack show ranscore-1",),
    "pack list": ("ranscore pack list",),
    "pack draft": ("ranscore pack draft ranscore-2 --from ranscore-1",),
    "pack edit": ('ranscore pack edit ranscore-2 fracture --add-word "wedge deformity"',),
    "pack try": ("ranscore pack try ranscore-2 --standard lung-300 --model qwen3-14b",),
    "pack errors": ("ranscore pack errors ranscore-2 fracture",),
    "pack tag": ("ranscore pack tag ranscore-2 fracture 017 synonym",),
    "pack suggest": ("ranscore pack suggest ranscore-2 Edema --standard lung-300 --with qwen3-14b",),
    "pack diff": ("ranscore pack diff ranscore-1 ranscore-2",),
    "pack rounds": ("ranscore pack rounds ranscore-2",),
    "pack freeze": ("ranscore pack freeze ranscore-2 --model qwen3-14b",),
    "readers": ("ranscore readers demo",),
    "readers new": ("ranscore readers new lung-300 --cohort mimic-cxr --part dev --items 300 --readers 6 --draw rare",),
    "readers sheets": ("ranscore readers sheets lung-300 -o forms",),
    "readers serve": ("ranscore readers serve lung-300 --host 192.0.2.7 --certificate server.pem --key server.key",),
    "readers take": ("ranscore readers take lung-300 lung-300.reader-1.json lung-300.reader-2.json",),
    "readers status": ("ranscore readers status lung-300",),
    "readers agree": ("ranscore readers agree lung-300",),
    "readers settle": ("ranscore readers settle lung-300",),
    "readers check": ("ranscore readers check lung-300",),
    "readers export": ("ranscore readers export lung-300 --format label-studio -o exported",),
    "readers import": ("ranscore readers import lung-300 answers.csv --reader reader-2",),
    "readers score": ("ranscore readers score --originals test-300",),
    "readers plan": ("ranscore readers plan --pairs 100,300,600",),
    "readers practise": ("ranscore readers practise lung-300 --items 20",),
    "readers demo": ("ranscore readers demo",),
    "bench": ("ranscore bench --language en", "ranscore bench --source cohort:open-i-590 --metrics ran-score,bleu"),
    "bench pairs": ("ranscore bench pairs --count 400 --seed 1 -o pairs.jsonl",),
    "bench show": ("ranscore bench show --kinds",),
    "bench gaming": ("ranscore bench gaming",),
    "bench readers": ("ranscore bench readers table ratings.csv",),
    "taxonomy": ("ranscore taxonomy explore --cohort synthetic -o taxonomy",),
    "taxonomy explore": ("ranscore taxonomy explore --cohort synthetic -o taxonomy",),
    "cache": ("ranscore cache list",),
    "cache export": ("ranscore cache export --reports reports.csv --open labels.recorded",),
    "cache import": ("ranscore cache import labels.recorded",),
    "cache list": ("ranscore cache list",),
}
"""By command, without `ranscore`, one or two lines that can be typed."""


def grouped(helps: dict[str, str], width: int = 16) -> str:
    """The list of commands under their headings.

    Args:
        helps: By command its one line of help, in any order.
        width: Width of the column of names.
    """
    named = {name for names in GROUPS.values() for name in names}
    groups = {**GROUPS, "more": tuple(name for name in helps if name not in named)}
    lines = []
    for heading, names in groups.items():
        there = [name for name in names if name in helps]
        if there:
            lines += ["", f"{heading}:", *(f"  {name:<{width}} {helps[name]}" for name in there)]
    return "\n".join(lines)


def epilog(command: str) -> str:
    """The last lines of a command's help: its examples."""
    lines = EXAMPLES.get(command, ())
    return "\n".join([f"example{'s' if len(lines) > 1 else ''}:", *(f"  {line}" for line in lines)]) if lines else ""
