"""`docs/what-metrics-see.md` from the results of the program: `python -m validation.bench.document > docs/what-metrics-see.md`."""

from __future__ import annotations

import json
from importlib import resources

from validation.bench import results, tables, written
from validation.bench.gaming import Gallery
from validation.bench.kinds import BY_NAME, KINDS
from validation.bench.pairs import GENERATED
from validation.bench.results import BenchResult
from validation.bench.tables import BenchTable, figure

_SKETCH = {"ran-score": 0.97, "bleu": 0.27, "rouge-l": 0.28, "cider": 0.28}
LANGUAGES = {"en": "English", "zh": "Chinese"}
_INTRODUCTION = """# What metrics see

This page is generated from a run: `ranscore bench`, then `python -m validation.bench.document`.

Each metric is asked about pairs of reports that differ by one edit. An edit is harmless (other words, the same meaning) or an error (a finding, or a property of a finding, is wrong). The reports are invented, so what is right is known. The definitions are this project's own; they follow the ideas of "Beyond Scalar Scores" (arXiv 2606.18797), whose formulas and data could not be had."""
_DEFINITIONS = """## Definitions

- **Discrimination**: the probability that the score after one significant error is lower than after a harmless edit of the same report; equal scores count half. Only harmless edits that change the number of words by as much as the error are compared, so a score that looks at length alone gets exactly 0.5. 1 is best, 0.5 is blind, below 0.5 the metric prefers the error.
- **Attributes**: the same for wrong properties: side, severity, size, count, position, new or old, tip of a device, a comparison without an earlier film, a wrong unit, the wrong section.
- **Against rewording**: discrimination where the harmless edit says one sentence in other words, whatever its length (written pairs: their rewordings). It is the harshest comparison for metrics of word overlap: one sentence in other words differs from the reference by more words than most errors do.
- **Robustness**: one less the mean drop of harmless edits divided by the mean drop of one significant error. Below 0, harmless edits cost more than errors.
- **Unmoved**: the share of harmless edits after which the score is exactly what it was.
- **Monotonicity**: the mean of Kendall's tau-b between the score and minus the number of errors (0 to 3) of a report's pairs.
- **Bias**: a threshold chosen on one half of the references makes the metric a judge; on the other half, the share of errors that it catches less the share of harmless edits that it spares.

All are means over references with 95 % intervals; all pairs of one report are one observation. Tests are paired, against Ran Score, corrected by Holm's method. A metric scores a pair as it scores a cohort of one study; for Ran Score that is the F1 over the pair's findings, because a macro average over 21 findings is not defined by one report. Taking away a pertinent negative is shown and is in no average, because people do not agree about it."""


def document() -> str:
    """The whole page."""
    main = [results.shipped(language) for language in LANGUAGES]
    parts = [_INTRODUCTION]
    parts += [_blind(result) for result in main]
    parts += [_DEFINITIONS]
    for result in main:
        parts.append(f"## {LANGUAGES[result.language]}")
        parts += [_markdown(table) for table in tables.tables(result, tables.first_recipes(result))]
        parts.append("### All recipes\n\n" + _markdown(tables.overview(result)))
    parts += [_beside_the_sketch(main[0]), _by_another_hand()]
    parts.append("## What optimising a metric pays\n\n" + "\n\n".join(_markdown(tables.of_gallery(gallery(code))) for code in LANGUAGES))
    parts.append("## The kinds\n\n" + "\n".join(f"- *{kind.name}* ({kind.group.value}): {kind.says}." for kind in KINDS))
    return "\n\n".join(parts) + "\n"


def _blind(result: BenchResult) -> str:
    first = result.metrics[0].kinds
    lines = [f"- **{kind}**: {BY_NAME[kind].says}: {figure(first[kind].auc)}" for kind in tables.blind(result)]
    return (
        f"## Where Ran Score is blind: {LANGUAGES[result.language]}\n\nThese errors cost nothing on a board of findings:\n\n"
        + "\n".join(lines)
    )


def _beside_the_sketch(result: BenchResult) -> str:
    """The figures of an earlier sketch beside those of the run."""
    rows = []
    for name, sketched in _SKETCH.items():
        item = next(found for found in result.metrics if found.name.partition(":")[0] == name)
        rows.append(
            (item.name, f"{sketched:.2f}", figure(item.against_rewording), figure(item.discrimination), figure(item.discrimination_all))
        )
    first = result.metrics[0].kinds
    rows += [(f"ran-score, {kind}", "0.47", "-", figure(first[kind].auc), figure(first[kind].auc_all)) for kind in ("side", "severity")]
    heads = ("metric", "sketch", "against rewording", "discrimination", "against all harmless edits")
    words = (
        "## Beside an earlier sketch\n\nA sketch on 2,885 pairs of 250 reports asked how often one clinical error scores below a harmless "
        "rewording. What metrics of word overlap reach depends on how many words the harmless edit changes: against one sentence in other "
        "words BLEU and ROUGE-L prefer the error, as in the sketch (CIDEr, which gives rare words more weight, less so); against edits that change as few words as the error does, and against bullets and "
        "capitals, which most recipes take away before they count, they do not.\n\n"
    )
    return words + _markdown(BenchTable("Sketch and this run, English", heads, tuple(rows)))


def _by_another_hand() -> str:
    """Generated pairs beside written ones."""
    heads = ("pairs", "metric", "discrimination", "attributes", "unmoved")
    rows = []
    for language in LANGUAGES:
        for source in (GENERATED, written.SHOWN, written.HELD_OUT):
            result = results.shipped(language, source)
            for item in tables.first_recipes(result):
                if not item.name.startswith("sentinel"):
                    cells = map(figure, (item.discrimination_all, item.attributes_all, item.unmoved))
                    rows.append((f"{LANGUAGES[language]}, {source}", item.name, *cells))
    words = (
        "## Pairs by another hand\n\n"
        "The phrases of the generator and the words of the embedded extractor have one author: what the generated pairs say of Ran Score is "
        "an upper limit. 240 further pairs were written without sight of either. One half (second-hand) may be looked at, the other "
        "(held-out) is used in no choice. Here errors are compared with all harmless edits of the same report, because written pairs are "
        "too few to match them by length.\n\n"
    )
    return words + _markdown(BenchTable("Generated and written pairs", heads, tuple(rows)))


def gallery(language: str) -> Gallery:
    """The gallery that comes with the program."""
    place = resources.files("validation.bench").joinpath("shipped", f"gaming-{language}.json")
    return Gallery(**json.loads(place.read_text(encoding="utf-8")))


def _markdown(table: BenchTable) -> str:
    lines = [f"*{table.title}*", ""]
    for cells in (table.heads, ("---",) * len(table.heads), *table.rows):
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(document(), end="")
