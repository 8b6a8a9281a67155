"""A validation as tables: accuracy by extractor, ratios by finding, averages, paired tests; as text, CSV or LaTeX. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from validation.extractors.results import FEW, KINDS, ExtractorResult, FindingResult, Ratio, SourcePart, Validation
from validation.extractors.thresholds import Rule, rules

AVERAGES = {"21": "all 21 findings", "14": "the 14 of CheXpert", "10": f"those with at least {FEW} positives"}
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """Cells as they are printed."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(validation: Validation) -> Iterator[PrintedTable]:
    """Every table, source by source."""
    for source in sources(validation):
        yield accuracy(validation, source)
        for result in validation.extractors:
            part = result.part(source)
            if part and len(part.findings) > 1 and result.name != "floor":
                yield ratios(validation, result, part)
        yield averages(validation, source)
        if any(pair.source == source for pair in validation.pairs):
            yield pairs(validation, source)


def sources(validation: Validation) -> tuple[str, ...]:
    """`original`, `generated`, or both."""
    return tuple(dict.fromkeys(part.source for result in validation.extractors for part in result.parts))


def accuracy(validation: Validation, source: str) -> PrintedTable:
    """Findings by extractors, as the paper's Tables 2 and 3: accuracy with its exact interval; and the floor beside."""
    columns = [(result.title, result.part(source)) for result in validation.extractors]
    known = [(title, {item.finding: item for item in part.findings}) for title, part in columns if part]
    names = list(dict.fromkeys(name for _, own in known for name in own))
    rows = [(name, *(str(own[name].accuracy) if name in own else "" for _, own in known)) for name in names]
    mean = ["mean"]
    for _, own in known:
        mean.append(f"{sum(item.accuracy.value for item in own.values()) / len(own):.4f}" if len(own) > 1 else "")
    title = f"Accuracy on {_items(validation, source)} with 95 % intervals (Clopper-Pearson)"
    return PrintedTable(title, ("finding", *(title for title, _ in known)), (*rows, tuple(mean)))


def _items(validation: Validation, source: str) -> str:
    part = next(part for result in validation.extractors for part in result.parts if part.source == source)
    return f"{part.items} {source} reports of {part.patients} patients"


def ratios(validation: Validation, result: ExtractorResult, part: SourcePart) -> PrintedTable:
    """One extractor by finding, as the paper's Table 4: precision, recall and F1, with positives, failures and whether it is enough."""
    judged = rules(validation.standard.threshold)
    heads = ("finding", "positives", "accuracy", "precision", "recall", "F1", "tp", "fp", "fn", "tn", "no answer", *map(_head, judged))
    rows = [_row(item, judged) for item in part.findings]
    return PrintedTable(f"{result.title}: {part.items} {part.source} reports", heads, tuple(rows))


def _head(rule: Rule) -> str:
    return f"{rule.name} rule"


def _row(item: FindingResult, judged: Sequence[Rule]) -> tuple[str, ...]:
    counts = (item.tp, item.fp, item.fn, item.tn)
    lost = sum(count for word, count in item.statuses.items() if word != "uncertain")
    few = " (few)" if item.positives < FEW else ""
    shown = (f"{item.accuracy.value:z.3f}", str(item.precision), str(item.recall), str(item.f1))
    return (item.finding, f"{item.positives}{few}", *shown, *map(str, (*counts, lost)), *(rule.judge(item) for rule in judged))


def averages(validation: Validation, source: str) -> PrintedTable:
    """Macro and micro of each extractor."""
    heads = (
        "extractor",
        "over",
        "macro F1",
        "macro precision",
        "macro recall",
        "macro accuracy",
        "micro F1",
        "micro precision",
        "micro recall",
    )
    rows = []
    for result in validation.extractors:
        part = result.part(source)
        for item in part.averages if part else ():
            macro = [str(item.macro[kind]) for kind in ("f1", "precision", "recall", "accuracy")]
            micro = [str(item.micro[kind]) for kind in ("f1", "precision", "recall")]
            rows.append((result.title, f"{AVERAGES[item.name]} ({len(item.findings)})", *macro, *micro))
    return PrintedTable(f"Averages on {source} reports", heads, tuple(rows))


def pairs(validation: Validation, source: str) -> PrintedTable:
    """Two extractors at a time: who is better, and what could have been shown at all."""
    heads = ("first", "second", "macro F1, first less second", "p", "F1 differs (Holm)", "accuracy differs (Holm)", "could not differ")
    rows = []
    for pair in validation.pairs:
        if pair.source == source:
            over = next((name for name in AVERAGES if name in pair.macro), "")
            gap = pair.macro.get(over)
            shown = (f"{gap.value:+z.3f} [{gap.low:+z.3f}, {gap.high:+z.3f}] over {over}", f"{gap.p:.3g}") if gap else ("", "")
            f1 = [name for name, item in pair.f1.items() if item.holm < SIGNIFICANT]
            right = [name for name, item in pair.accuracy.items() if item.holm < SIGNIFICANT]
            short = sum(item.smallest >= SIGNIFICANT for item in pair.accuracy.values())
            rows.append((pair.first, pair.second, *shown, _names(f1), _names(right), f"{short} of {len(pair.accuracy)} findings"))
    return PrintedTable(f"Paired tests on {source} reports: exact McNemar for accuracy, jackknife for F1", heads, tuple(rows))


def _names(found: Sequence[str]) -> str:
    return ", ".join(found) or "none"


def as_csv(validation: Validation) -> str:
    """One line for each extractor, source and finding, and each average, with every number."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    ends = [f"{kind}{end}" for kind in KINDS for end in ("", " low", " high")]
    writer.writerow(["extractor", "digest", "source", "finding", "positives", "left out", "tp", "fp", "fn", "tn", "no answer", *ends])
    for result in validation.extractors:
        for part in result.parts:
            start = [_safe(result.title), result.digest, part.source]
            for item in part.findings:
                lost = sum(count for word, count in item.statuses.items() if word != "uncertain")
                counts = [item.positives, item.left_out, item.tp, item.fp, item.fn, item.tn, lost]
                writer.writerow([*start, item.finding, *counts, *_numbers([item.ratio(kind) for kind in KINDS])])
            for average in part.averages:
                for word, values in (("macro", average.macro), ("micro", average.micro)):
                    name = f"{word} over {AVERAGES[average.name]}"
                    writer.writerow([*start, name, *[""] * 7, *_numbers([values[kind] for kind in KINDS])])
    return stream.getvalue()


def _safe(title: str) -> str:
    """A title that no spreadsheet runs as a formula."""
    return f"'{title}" if title[:1] in "=+-@\t\r" else title


def _numbers(listed: Sequence[Ratio]) -> list[str]:
    return [format(end, ".6g") for item in listed for end in (item.value, item.low, item.high)]


def as_latex(validation: Validation) -> str:
    """Every table for a paper, with booktabs."""
    return "\n".join(_latex(table) for table in tables(validation))


def _latex(table: PrintedTable) -> str:
    lines = [
        r"\begin{table}",
        rf"\caption{{{_tex(table.title)}}}",
        rf"\begin{{tabular}}{{{'l' + 'r' * (len(table.heads) - 1)}}}",
        r"\toprule",
    ]
    lines += [" & ".join(map(_tex, table.heads)) + r" \\", r"\midrule"]
    lines += [" & ".join(map(_tex, row)) + r" \\" for row in table.rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


_TEX = str.maketrans({
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
})  # fmt: skip


def _tex(text: str) -> str:
    return text.translate(_TEX)
