"""Reading a film: PNG, JPEG or DICOM in, grey levels out, white dense whatever the file says.

More than 8 bits become 8 by the film's own window, else by its darkest and brightest value. Films are hostile input: sizes are read
from headers before anything is unpacked, and only PNG, JPEG and DICOM decoders are ever asked.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from harness.config.home import pip_install
from harness.errors import InputError, Problem, UnavailableError
from harness.films import dicom_file
from harness.types import Array

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling

Grey = NDArray[np.uint8]
LARGEST = 100_000_000
"""Pixels of the largest film that is read; a detector of 50 cm at 0.1 mm has 25 million."""
_HEADER = ("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "PixelRepresentation")


def read(path: Path) -> Grey:
    """Read a film as grey levels.

    Returns:
        Shape (rows, columns), 0 black to 255 white, bone white: MONOCHROME1 is turned round. Colour is weighted by ITU-R 601.

    Raises:
        InputError: It is no film, is cut off, or is larger than `LARGEST`.
        UnavailableError: It is DICOM and the reader is not installed.
    """
    with _complaining(str(path)), path.open("rb") as stream:
        return np.asarray(_opened(stream, str(path)).convert("L"))


def read_rgb(path: Path) -> Image:
    """Read a film as models that were trained on colour pictures expect it: three channels, as PIL's `convert("RGB")` makes them.

    Raises:
        InputError: See `read`.
        UnavailableError: See `read`.
    """
    with _complaining(str(path)), path.open("rb") as stream:
        return _opened(stream, str(path)).convert("RGB")


def resized(image: Image, size: tuple[int, int], resample: Resampling) -> Image:
    """A picture of another size (width, height): Pillow's `resize`, the same with every version of Pillow.

    Up to version 12 Pillow shrinks a picture's rows first and then its columns, and rounds to whole grey levels in between. Version 13
    takes the columns first where that is faster (strongly portrait pictures). One direction at a time, the order is always the published one.
    """
    return image.resize((size[0], image.height), resample).resize(size, resample)


def rgb_of(content: bytes, name: str) -> Image:
    """As `read_rgb`, of a file in memory.

    Args:
        content: The file.
        name: What messages call it.
    """
    with _complaining(name), io.BytesIO(content) as stream:
        return _opened(stream, name).convert("RGB")


def check(path: Path) -> None:
    """Look at a film's header: that it is there, can be read, and is no bomb. Takes a millisecond; decodes nothing.

    Raises:
        InputError: See `read`.
        UnavailableError: See `read`.
    """
    with _complaining(str(path)), path.open("rb") as stream:
        if _is_dicom(stream):
            _dicom_header(stream, str(path))
        else:
            _picture(stream, str(path)).close()


def _opened(stream: BinaryIO, name: str) -> Image:
    """Any film as an 8-bit picture, grey or colour."""
    if _is_dicom(stream):
        return _read_dicom(stream, name)
    with _picture(stream, name) as picture:
        picture.load()
        if picture.mode.startswith(("I", "F")):
            return _grey_picture(stretched(np.asarray(picture).astype(np.float64)))
        return picture.convert("RGB") if picture.mode in ("P", "PA", "CMYK", "YCbCr") else picture.copy()


@contextmanager
def _complaining(name: str) -> Iterator[None]:
    """Turn whatever a decoder throws at a bad file into one problem with the file's name."""
    from PIL.Image import DecompressionBombError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except FileNotFoundError as error:
        raise InputError(Problem("the film is not there", "Copy it, or build the cohort with the right folder", name)) from error
    except DecompressionBombError:
        raise _too_large(name) from None
    except (InputError, UnavailableError):
        raise
    except RecursionError:
        raise dicom_file.too_many(name) from None
    # A damaged file makes decoders fail in any way they like; what they say may quote the file, so only the kind is kept.
    except Exception as error:
        what = f"it is not a PNG, JPEG or DICOM film that can be read, or it is cut off ({type(error).__name__})"
        raise InputError(Problem(what, "Copy it again", name)) from None


def _too_large(name: str) -> InputError:
    return InputError(Problem(f"it unpacks to more than {LARGEST:,} pixels", "Give the film in its own size", name))


def _is_dicom(stream: BinaryIO) -> bool:
    stream.seek(0)
    return stream.read(132)[128:] == b"DICM"


def _picture(stream: BinaryIO, name: str) -> Image:
    """A PNG or JPEG, opened and not decoded."""
    from PIL import Image

    stream.seek(0)
    picture = Image.open(stream, formats=("PNG", "JPEG"))
    if picture.width * picture.height > LARGEST:
        picture.close()
        raise _too_large(name)
    return picture


def _grey_picture(values: Grey) -> Image:
    from PIL import Image

    return Image.fromarray(values)


def stretched(values: Array) -> Grey:
    """The darkest value becomes 0, the brightest 255; a film of one value becomes black."""
    low, high = float(values.min()), float(values.max())
    return np.rint((values - low) * (255 / (high - low if high > low else 1))).astype(np.uint8)


def windowed(values: Array, centre: float, width: float, function: str = "LINEAR") -> Grey:
    """Grey levels through a value-of-interest window (DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3).

    Args:
        values: After the modality's rescaling.
        width: In the unit of `values`; at least 1 for LINEAR.
        function: `LINEAR`, `LINEAR_EXACT` or `SIGMOID`.
    """
    if function == "SIGMOID":
        shares = 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
    elif function == "LINEAR_EXACT":
        shares = (values - centre) / width + 0.5
    else:
        shares = (values - (centre - 0.5)) / max(width - 1, 1e-9) + 0.5
    return np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)


def _dicom_header(stream: BinaryIO, name: str) -> Any:
    """The data set without its pixels, found to be one film of a bearable size whose packing can be undone here."""
    header = dicom_file.header(stream, name, list(_HEADER))
    packing = header.file_meta.TransferSyntaxUID
    if missing := [tag for tag in ("Rows", "Columns", "PhotometricInterpretation") if tag not in header]:
        raise InputError(Problem(f"it holds no film (no {', '.join(missing)})", "Give the image, not a report or a record", name))
    if int(header.get("NumberOfFrames") or 1) != 1:
        raise InputError(Problem(f"it holds {header.NumberOfFrames} frames, not one film", "Give one film", name))
    if header.Rows * header.Columns > LARGEST:
        raise _too_large(name)
    if packing.is_compressed and not dicom_file.pydicom().pixels.get_decoder(packing).is_available:
        raise UnavailableError(f"{name} is packed as {packing.name}. Run `{pip_install('dicom')}`")
    return header


def _read_dicom(stream: BinaryIO, name: str) -> Image:
    _dicom_header(stream, name)
    data = dicom_file.data_set(stream, name)
    _check_packed(data, name)
    raw = dicom_file.pixels(data)
    if raw.ndim == 3:
        from PIL import Image

        return Image.fromarray(raw if raw.dtype == np.uint8 else stretched(raw.astype(np.float64)), "RGB")
    grey = _levels(data, raw)
    if data.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    padding = data.get("PixelPaddingValue")
    return _grey_picture(grey if padding is None else np.where(_padded(data, raw, padding), np.uint8(0), grey))


def _check_packed(data: Any, name: str) -> None:
    """A packed stream states its own size, which may be a bomb though the header's is small."""
    if not data.file_meta.TransferSyntaxUID.is_compressed:
        return
    from PIL import Image, UnidentifiedImageError
    from pydicom.encaps import generate_frames

    try:
        with Image.open(io.BytesIO(next(generate_frames(data.PixelData, number_of_frames=1)))) as packed:
            size = (packed.height, packed.width)
    except (UnidentifiedImageError, OSError, SyntaxError, struct.error):
        return  # run lengths and JPEG-LS, whose decoders go by the header's size
    if size != (data.Rows, data.Columns):
        raise InputError(Problem("its header and its packed film differ in size", "Export it again", name))


def _levels(data: Any, raw: NDArray[Any]) -> Grey:
    """Rescaling of the modality, then the first window or look-up table, as the film's maker meant it to be seen."""
    from pydicom.pixels.processing import apply_modality_lut, apply_voi

    values = np.asarray(apply_modality_lut(raw, data), dtype=np.float64)
    if tables := data.get("VOILUTSequence"):
        bits = int(tables[0].LUTDescriptor[2])
        seen = np.asarray(apply_voi(values.astype(np.int64), data), dtype=np.float64)
        levels: Grey = np.rint(seen * (255 / (2**bits - 1))).astype(np.uint8)
        return levels
    centre, width = _first(data.get("WindowCenter")), _first(data.get("WindowWidth"))
    if centre is None or width is None or width <= 0:
        film = values if data.get("PixelPaddingValue") is None else np.where(_padded(data, raw, data.PixelPaddingValue), np.nan, values)
        low, high = (np.nanmin(film), np.nanmax(film)) if np.isfinite(film).any() else (0.0, 0.0)
        return stretched(np.clip(values, low, high))
    return windowed(values, centre, width, data.get("VOILUTFunction") or "LINEAR")


def _first(value: Any) -> float | None:
    """The first of several windows."""
    if value is None or value == "":
        return None
    return float(value if isinstance(value, int | float | str) else value[0] if hasattr(value, "__getitem__") else value)


def _padded(data: Any, raw: NDArray[Any], padding: int) -> NDArray[np.bool_]:
    """Pixels that hold no film."""
    other = data.get("PixelPaddingRangeLimit", padding)
    inside: NDArray[np.bool_] = (raw >= min(padding, other)) & (raw <= max(padding, other))
    return inside
