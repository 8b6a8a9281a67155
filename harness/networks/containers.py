"""What files of weights and arrays declare about themselves, looked at before any memory is taken for it."""

from __future__ import annotations

import json
import pickletools
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from harness.types import Json

LARGEST_HEADER = 16 << 20
"""Bytes of a pickle, a safetensors header or a zip directory that are read; those of the largest released models have less than 1 MB."""
LARGEST_TEXT = 64 << 20
"""Bytes of a JSON file or a vocabulary; the largest tokenizer has some 30 MB."""
MOST_STEPS = 1_000_000
"""Steps of a pickle; each can take some 200 bytes. A checkpoint of 1,662 tensors with its optimizer has 300,000."""


class DamagedError(ValueError):
    """The file is cut off, contradicts itself or declares too much; says how, in words that may be shown."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside an archive, stored as it is."""

    start: int
    """Offset of its first byte in the archive."""
    size: int
    checksum: int
    """CRC-32; 0 where none was written."""


def directory(path: Path) -> list[zipfile.ZipInfo]:
    """What a zip archive says that it holds.

    Raises:
        DamagedError: It is damaged, or says more than any file of weights.
    """
    try:
        with path.open("rb") as stream:
            _directory(stream, path.stat().st_size)
            return zipfile.ZipFile(stream).infolist()
    except DamagedError:
        raise
    except Exception as error:  # zipfile raises six kinds on damage, some of them undocumented
        raise DamagedError(f"its directory is damaged ({type(error).__name__})") from None


def stored_members(path: Path, listed: Sequence[zipfile.ZipInfo]) -> dict[str, Member]:
    """The files of a zip archive by name; all of them are stored uncompressed, one after the other.

    Raises:
        DamagedError: One is compressed, encrypted, named twice, or not where the directory says; or they overlap.
    """
    whole = path.stat().st_size
    if sum(info.compress_size for info in listed) > whole:
        raise DamagedError("its files are together larger than it is: they overlap")
    found: dict[str, Member] = {}
    with path.open("rb") as stream:
        for info in listed:
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & 1:
                raise DamagedError("its files are compressed or encrypted, which PyTorch's never are: somebody packed it again")
            if info.filename in found:
                raise DamagedError("two of its files have one name")
            found[info.filename] = _member(stream, info, whole)
    return found


def _directory(stream: IO[bytes], whole: int) -> None:
    """Hold the size of a zip archive's directory against the limit."""
    stream.seek(max(0, whole - 65_557))
    tail = stream.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise DamagedError("it has no directory: it is cut off")
    size = struct.unpack_from("<I", tail, end + 12)[0]
    if size == 0xFFFFFFFF and end >= 76 and tail[end - 76 : end - 72] == b"PK\x06\x06":
        size = struct.unpack_from("<Q", tail, end - 76 + 40)[0]
    if size > LARGEST_HEADER:
        raise DamagedError("its directory is longer than that of any file of weights")


def _member(stream: IO[bytes], info: zipfile.ZipInfo, whole: int) -> Member:
    """Where a file of an archive is, by its own header, which must agree with the directory."""
    stream.seek(info.header_offset)
    head = stream.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        raise DamagedError("a file in it is not where its directory says")
    name, extra = struct.unpack_from("<HH", head, 26)
    if stream.read(name) != info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437"):
        raise DamagedError("a file in it has another name than its directory says")
    start = info.header_offset + 30 + name + extra
    if start + info.file_size > whole:
        raise DamagedError("a file in it is cut off")
    return Member(start, info.file_size, info.CRC)


def small_file(path: Path, member: Member) -> bytes:
    """The content of a small file of an archive.

    Raises:
        DamagedError: It is larger than `LARGEST_HEADER`, or its checksum is another.
    """
    if member.size > LARGEST_HEADER:
        raise DamagedError(f"its list of tensors is longer than {LARGEST_HEADER} bytes")
    with path.open("rb") as stream:
        stream.seek(member.start)
        data = stream.read(member.size)
    if member.checksum not in (0, zlib.crc32(data)):
        raise DamagedError("its list of tensors is damaged: the checksum is another")
    return data


class _Limited:
    """A stream for `pickletools` that gives no more bytes than a pickle may have."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._left = stream, LARGEST_HEADER

    def read(self, count: int) -> bytes:
        return self._taken(self._stream.read(max(0, min(count, self._left + 1))))

    def readline(self) -> bytes:
        return self._taken(self._stream.readline(self._left + 1))

    def _taken(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise DamagedError(f"its list of tensors is longer than {LARGEST_HEADER} bytes")
        return data


def walk_pickles(stream: IO[bytes], count: int) -> None:
    """Read so many pickles without making anything of them.

    Raises:
        DamagedError: One is cut off, is no pickle, or has too many bytes or steps.
    """
    limited, steps = _Limited(stream), 0
    for _ in range(count):
        try:
            for step, argument, _ in pickletools.genops(limited):  # type: ignore[arg-type]
                steps += 1
                # Python makes room for all places up to the one in which a pickle puts a thing.
                place = argument if step.name.endswith("PUT") and isinstance(argument, int) else 0
                if max(steps, place) > MOST_STEPS:
                    raise DamagedError(f"its list of tensors has more than {MOST_STEPS} steps")
        except DamagedError:
            raise
        except Exception as error:  # pickletools raises whatever reading a wrong argument raises
            raise DamagedError(f"its list of tensors is damaged ({type(error).__name__})") from None


def safetensors_header(path: Path) -> None:
    """Hold the length that a safetensors file declares for its header against the file and the limit.

    Raises:
        DamagedError: It is too long.
    """
    with path.open("rb") as stream:
        first = stream.read(8)
    length = int.from_bytes(first, "little")
    if len(first) < 8 or length + 8 > path.stat().st_size:
        raise DamagedError("it is not a safetensors file, or it is cut off")
    if length > LARGEST_HEADER:
        raise DamagedError("its header is longer than that of any file of weights")


def text(path: Path) -> str:
    """The text of a file of settings or of a vocabulary.

    Raises:
        DamagedError: It is not UTF-8, cannot be read, or is longer than any such file.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_TEXT + 1)
        if len(data) > LARGEST_TEXT:
            raise DamagedError(f"it is longer than {LARGEST_TEXT} bytes")
        return data.decode("utf-8")
    except OSError as error:
        raise DamagedError(f"it cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DamagedError("it is not UTF-8 text") from None


def json_object(path: Path) -> Json:
    """The JSON object in a file of settings or of a vocabulary.

    Raises:
        DamagedError: It is none, or as for `text`.
    """
    try:
        found = json.loads(text(path))
    except DamagedError:
        raise
    except (ValueError, RecursionError):
        raise DamagedError("it is not JSON") from None
    if not isinstance(found, dict):
        raise DamagedError("it is not a JSON object")
    return found


def arrays(path: Path, shapes: Mapping[str, tuple[int, ...]], kinds: str = "fiu", lacking: bool = False) -> dict[str, NDArray[np.float64]]:
    """The arrays of numbers of an `.npz` file.

    Args:
        path: The file.
        shapes: By name the shape that each array must have; others are not read.
        kinds: Which kinds of numbers, as numpy abbreviates them.
        lacking: Whether an array may be missing.

    Raises:
        DamagedError: It is no such file, or an array is missing, or of another shape or kind.
    """
    try:
        with path.open("rb") as stream:
            _directory(stream, path.stat().st_size)
            with zipfile.ZipFile(stream) as archive:
                here = set(archive.namelist())
                wanted = {name: shape for name, shape in shapes.items() if f"{name}.npy" in here or not lacking}
                return {name: _array(archive, name, shape, kinds) for name, shape in wanted.items()}
    except DamagedError:
        raise
    except Exception as error:  # zipfile and numpy raise a dozen kinds on damage, some of them undocumented
        raise DamagedError(f"it is not an archive of arrays, or it is damaged ({type(error).__name__})") from None


def _array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], kinds: str) -> NDArray[np.float64]:
    """One array, whose header is read and checked before its numbers are."""
    with archive.open(f"{name}.npy") as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise DamagedError(f"{name} is not written as `numpy.savez` writes real numbers")
        declared, by_column, kind = np.lib.format.read_array_header_1_0(stream)
        if declared != shape or by_column or kind.kind not in kinds or kind.hasobject:
            raise DamagedError(f"{name} has shape {declared} and kind {kind}, not {shape} and real numbers"[:300])
        size = kind.itemsize * int(np.prod(shape, dtype=np.int64))
        data = stream.read(size + 1)
    if len(data) != size:
        raise DamagedError(f"{name} has another number of values than it declares")
    return np.frombuffer(data, kind).reshape(shape).astype(np.float64)
