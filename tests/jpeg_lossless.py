"""Lossless JPEG (ITU-T T.81, process 14) written for the tests, since no decoder that they check should have written its own input."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

CODE = 5
"""Bits of every Huffman code: the 17 categories fit, and no code is all ones."""


def encode(pixels: np.ndarray[Any, Any], bits: int, predictor: int = 1) -> bytes:
    """One grey picture as a stream of its own.

    Args:
        pixels: Shape (rows, columns), whole numbers from 0.
        bits: Of a value.
        predictor: 1 takes the value to the left, 2 the one above.
    """
    rows, columns = pixels.shape
    frame = struct.pack(">BHHB", bits, rows, columns, 1) + bytes([1, 0x11, 0])
    tables = bytes([0]) + bytes([0] * (CODE - 1) + [17] + [0] * (16 - CODE)) + bytes(range(17))
    scan = bytes([1, 1, 0x00, predictor, 0, 0])
    parts = [
        b"\xff\xd8",
        _segment(0xC3, frame),
        _segment(0xC4, tables),
        _segment(0xDA, scan),
        _entropy(pixels, bits, predictor),
        b"\xff\xd9",
    ]
    return b"".join(parts)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def _entropy(pixels: np.ndarray[Any, Any], bits: int, predictor: int) -> bytes:
    """The differences to the predicted values; the first row is predicted from the left, the first column from above."""
    values = pixels.astype(np.int64)
    predicted = np.empty_like(values)
    predicted[1:] = values[:-1]
    predicted[0, 0] = 1 << (bits - 1)
    predicted[0, 1:] = values[0, :-1]
    if predictor == 1:
        predicted[1:, 1:] = values[1:, :-1]
    text = "".join(map(_code, (values - predicted).ravel().tolist()))
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")


def _code(difference: int) -> str:
    """A category, then the bits that tell its members apart; differences count modulo 65536."""
    difference = (difference + 32768) % 65536 - 32768
    size = abs(difference).bit_length()
    head = format(size, f"0{CODE}b")
    if size == 0 or size == 16:
        return head
    return head + format(difference if difference > 0 else difference + (1 << size) - 1, f"0{size}b")
