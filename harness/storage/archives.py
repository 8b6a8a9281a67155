"""Numpy archives as arrays: no pickle is read, and nothing is allocated before the sizes that the archive declares are checked."""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.storage.shaped import ShapeError
from harness.storage.stored import LARGEST, Source, reading


def arrays(data: bytes, source: Source, most: int = LARGEST) -> dict[str, NDArray[Any]]:
    """The arrays of an archive by name.

    Args:
        data: A file as `numpy.savez` or `numpy.savez_compressed` writes it.
        source: Which file it is, for the error.
        most: Bytes of all arrays together.

    Raises:
        RanscoreError: An error of the source's kind: it is no such archive, damaged, or larger.
    """
    with reading(source), zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > most:
            raise ShapeError(f"its arrays hold more than {most:,} bytes")
        return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ShapeError("an array has a header of another version")
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_column, kind = read_header(stream)
        declared = math.prod(shape) * kind.itemsize
        if kind.hasobject or min(shape, default=1) < 0 or declared != member.file_size - stream.tell():
            raise ShapeError("an array is not as large as its header says")
        values = stream.read()
    return np.frombuffer(values, kind).reshape(shape, order="F" if by_column else "C").copy()
