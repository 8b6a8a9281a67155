"""Opening a DICOM file with a bound on its structure: pydicom makes an object of every element, however small, and keeps it."""

from __future__ import annotations

from typing import Any, BinaryIO

from harness.config.home import pip_install
from harness.errors import InputError, Problem, UnavailableError

READS = 100_000
"""How often the parser may read from the file, two or three times for an element; a film of a modality has less than two thousand elements."""
LONGEST_TABLES = 1_500_000
"""Bytes of all look-up tables together; one of 16 bits has 131,072."""
_TABLES = ("ModalityLUTSequence", "VOILUTSequence")
_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
_MOST_ITEMS = 200
_DECODERS = ("pylibjpeg", "pillow", "gdcm")
_EXTENDED = "1.2.840.10008.1.2.4.51"


class Bounded:
    """A file whose parser is stopped when it has read too often, and that is never read as a whole.

    Only a file that is deflated as a whole is asked for all its bytes; it unpacks before its size is known.

    Args:
        stream: The file, at its beginning.
        name: What messages call it.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream, self._name, self._left = stream, name, READS
        self.seek, self.tell, self.close = stream.seek, stream.tell, stream.close

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes.

        Raises:
            InputError: It was read too often, or is asked for as a whole.
        """
        if size is None or size < 0:
            raise InputError(Problem("it is deflated as a whole, which is not read", "Save it uncompressed or as JPEG 2000", self._name))
        self._left -= 1
        if self._left < 0:
            raise too_many(self._name)
        return self._stream.read(size)


def too_many(name: str) -> InputError:
    """The error for a file with more elements or items than a film has."""
    return InputError(Problem("it has far more elements than a film", "Export the image alone, without its other sequences", name))


def pydicom() -> Any:
    """The package, imported when the first DICOM file is opened.

    Raises:
        UnavailableError: It is not installed.
    """
    try:
        import pydicom
    except ImportError as error:
        raise UnavailableError(f"DICOM films need pydicom, which is not installed. Run `{pip_install('dicom')}`") from error
    return pydicom


def header(stream: BinaryIO, name: str, tags: list[str]) -> Any:
    """The data set without its pixels, and of the rest only some tags; as `data_set`."""
    stream.seek(0)
    return pydicom().dcmread(Bounded(stream, name), stop_before_pixels=True, specific_tags=tags)


def data_set(stream: BinaryIO, name: str) -> Any:
    """The whole data set.

    Raises:
        InputError: It is deflated as a whole, or has too many elements.
        UnavailableError: The package is not installed.
    """
    stream.seek(0)
    found = pydicom().dcmread(Bounded(stream, name))
    for table in _TABLES:
        if table in found and _is_wide(getattr(found.get_item(table), "value", None)):
            raise too_many(name)
    return found


def pixels(data: Any) -> Any:
    """The stored values of the one frame, unpacked by the decoder that takes damaged files best.

    GDCM comes last: a damaged JPEG or JPEG 2000 stream can make it end the process.
    """
    packing, package = data.file_meta.TransferSyntaxUID, pydicom()
    if not packing.is_compressed:
        return package.pixels.pixel_array(data)
    able = package.pixels.get_decoder(packing).available_plugins
    if packing == _EXTENDED and data.BitsStored > 8:
        able = [name for name in able if name != "pillow"]  # it reads 8 bits alone
    return package.pixels.pixel_array(data, decoding_plugin=next((name for name in _DECODERS if name in able), ""))


def _is_wide(value: Any) -> bool:
    """Whether bytes that are not parsed yet would become more items than look-up tables have."""
    return isinstance(value, bytes) and (len(value) > LONGEST_TABLES or any(value.count(item) > _MOST_ITEMS for item in _ITEMS))
