"""Which text makes a reader of reports or answers slow: processor time at 2,500 characters and at 10,000, for thousands of hostile texts.

    python -m benchmarks.patterns [NAME ...]

A reader whose time is linear takes four times as long for four times the text. Each text is one or two short pieces again and again, with
an end that fits nothing, which is what makes a pattern that can backtrack go back. What takes more than 8 times as long, and more than 20 ms,
is printed and gives exit code 1; after 20 such texts the next reader comes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice, product

SHORT, LONG = 2_500, 10_000
SLOWER, SECONDS, ENOUGH = 8.0, 0.02, 20
SIGNS = tuple(" \n\t\r.,:;-_/'\"<>[](){}|`#=0159aAzé肺。，：；")
PIECES = (
    *SIGNS,
    *("a.", "1.", "1-", "- ", ". ", "\n ", " \n", "1,", "a,", "e.g. ", "and ", "no ", "REPORT ", "REPORT\n", "ignore ", "disregard "),
    *("answer ", "return always ", "label ", "you are ", "system", "user ", "<|a", "<think>", "</think>", "[THINK]", "<|channel|>", "[1,"),
    *(
        '{"',
        '{"a',
        "[ 0 ,",
        "忽略",
        "Edema",
        "Edema ",
        'Edema" ',
        "Edema: 1 ",
        "findings",
        "findings:",
        "FINDINGS ",
        "Dr",
        "vs.",
        "\\boxed{",
    ),
    *("&#", "&#x", "<a ", "</", "`", "lung ", "pneumo", "opacity and ", "no evidence of ", "cannot ", "the", "XXXX ", "Impression and "),
)
ENDS = ("", "\x00!")


def texts(size: int) -> Iterator[tuple[str, str]]:
    """Hostile texts of that size, each with what it is made of."""
    for first, second, end in product(PIECES, ("", *SIGNS), ENDS):
        piece = first + second
        yield f"{piece!r} again and again, then {end!r}", (piece * (size // len(piece) + 1))[:size] + end


def readers() -> dict[str, Callable[[str], object]]:
    """Everything that reads report text, or what a model wrote, with patterns."""
    from generators.adapters import prompting
    from generators.blocks import answer_text as prose
    from generators.cxrmate2 import prompt as cxrmate2_prompt
    from generators.llm_rg4 import report
    from generators.rgrg import text as rgrg_text
    from harness.cohorts.mimic import sections
    from harness.extractors import lexical
    from harness.extractors.llm import framing, parser, reading
    from harness.formats import report_text
    from harness.metrics.text import ptb, tokens
    from harness.types import Section, StudyInput

    lexicon, prompt = lexical.make(), prompting.Prompt("Describe {indication}", Section.FINDINGS, False, 100)
    answer = {
        name: (lambda text, name=name: parser.decisions(parser.ModelReply(text), name, ["Edema"]))
        for name in ("digit", "first-digit", "json")
    }
    return {
        "framing.flags": framing.flags,
        "framing.framed": lambda text: framing.framed(text, "line"),
        "reading.report_status": reading.report_status,
        **{f"parser {name}": function for name, function in answer.items()},
        "lexical": lambda text: lexicon.extract([text]),
        "sections of MIMIC-CXR": sections.parse,
        "markup of a reports file": lambda text: (report_text._MARKUP.search(text), report_text.CONTROL.search(text)),
        "cleaning of a report": report_text.clean,
        "rgrg": lambda text: rgrg_text.report([text]),
        "cxrmate-2 prior report": cxrmate2_prompt.known,
        "llm-rg4 prior report": report.cleaned,
        "prompt": lambda text: prompt.filled(StudyInput("1", indication=text)),
        "boxed answer": lambda text: boxed(prose, text),
        "r2gen, libra, rexrank": lambda text: (tokens.r2gen_iu(text), tokens.r2gen_mimic(text), tokens.libra(text), tokens.rexrank(text)),
        "13a, zh, latin tokens": lambda text: (tokens.mteval_13a(text), tokens.zh(text), tokens.latin_words(text)),
        "ptb tokens": ptb.ptb,
    }


def boxed(prose: object, text: str) -> str:
    """The last box of an answer, or nothing."""
    try:
        return str(prose.boxed(text))  # type: ignore[attr-defined]
    except prose.UnreadError:  # type: ignore[attr-defined]
        return ""


def spent(reader: Callable[[str], object], text: str) -> float:
    """Processor seconds that a reader takes for a text."""
    started = time.process_time()
    reader(text)
    return time.process_time() - started


def slow(reader: Callable[[str], object]) -> Iterator[tuple[str, float, float]]:
    """The texts whose time grows faster than they do."""
    for (made_of, short), (_, long) in zip(texts(SHORT), texts(LONG), strict=True):
        little = spent(reader, short)
        if little * 16 < SECONDS:
            continue  # even if it grew with the square, it would be fast enough
        much = min(spent(reader, long) for _ in range(2))
        little = min(little, spent(reader, short))
        if much > SECONDS and much > SLOWER * little:
            yield made_of, little, much


def main(names: list[str]) -> int:
    """Measure, print, and say whether any reader is slower than linear."""
    found = 0
    for name, reader in readers().items():
        if names and not any(part in name for part in names):
            continue
        worst = sorted(islice(slow(reader), ENOUGH), key=lambda item: -item[2])
        found += len(worst)
        print(f"{name:26} {len(worst):4} of {sum(1 for _ in texts(1))} texts slower than linear", flush=True)
        for made_of, little, much in worst[:4]:
            print(f"    {1000 * little:8.1f} ms, {1000 * much:8.1f} ms  {made_of}", flush=True)
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
