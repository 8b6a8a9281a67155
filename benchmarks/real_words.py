"""The words of the language that the embedded extractor would take for a misspelling, from word lists such as Debian's `wamerican-huge`.

`python -m benchmarks.real_words LIST... > harness/extractors/lexical/english_words.txt` after a change of the English lexicon's words.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from harness.extractors.lexical.lexicon import load
from harness.extractors.lexical.spelling import respell


def words_of(paths: Iterable[Path]) -> set[str]:
    """The words of word lists, one a line, in lower case; names with signs in them are left out."""
    lines = (line.strip().lower() for path in paths for line in path.read_text(encoding="utf-8").splitlines())
    return {line for line in lines if re.fullmatch("[a-z]+", line)}


def mistaken(words: Iterable[str]) -> list[str]:
    """Those words that the lexicon without its list of real words would respell."""
    bare = replace(load("english"), real=frozenset())
    return sorted(word for word in words if word not in bare.words and respell(word, bare) != word)


if __name__ == "__main__":
    print(textwrap.fill(" ".join(mistaken(words_of(map(Path, sys.argv[1:])))), 140, break_on_hyphens=False))
