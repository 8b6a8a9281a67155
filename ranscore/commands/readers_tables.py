"""Tables of readers' agreement on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.types import Json


def agreement(made: Json) -> None:
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


def undecided(data: Json, items: int) -> str:
    """How many decisions have no certain majority, by cause."""
    causes: dict[str, int] = {}
    for counts in data["undecided"].values():
        for cause, count in counts.items():
            causes[cause] = causes.get(cause, 0) + count
    listed = ", ".join(f"{count} {'uncertain by majority' if cause == 'uncertain' else cause}" for cause, count in sorted(causes.items()))
    questions = len(data["agreement"]["questions"])
    return f"{items} items, {items * questions:,} decisions; without a certain majority: {listed or 'none'}"
