"""Output that no terminal can break: closed streams, and encodings without the letters that are printed."""

from __future__ import annotations

import codecs
import io
import os
import sys

PLAIN = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "“": "'", "”": "'", "…": "...", "·": "|", "→": "->", "≥": ">=", "≤": "<="}
)
"""Signs that have a near one in ASCII; none that JSON has a meaning for."""


def prepare() -> None:
    r"""Make standard output and standard error take whatever is printed.

    A closed stream takes everything and shows nothing. A letter that the encoding does not have becomes a near sign, else `\uXXXX`, which JSON
    reads back.
    """
    codecs.register_error("ranscore", escaped)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        _open(number)
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", errors="ranscore", closefd=False))  # noqa: SIM115
        elif number and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="ranscore")


def _open(number: int) -> None:
    """Give a closed descriptor to nothing, so that no file of the program gets its number, and with it what is printed."""
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def escaped(error: UnicodeError) -> tuple[str, int]:
    """What is printed for letters that an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end].translate(PLAIN)
    return "".join(char if char.isascii() else _escape(char) for char in found), error.end


def _escape(char: str) -> str:
    """As JSON escapes it: in two halves beyond 16 bits."""
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD7C0 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
