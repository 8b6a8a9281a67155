"""Reading films: the right way round, at full depth, and never a bomb."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness import films
from harness.errors import InputError
from harness.films import dicom_file
from tests import dicom_shapes, jpeg_lossless

pydicom = pytest.importorskip("pydicom")

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def dicom(path: Path, pixels: np.ndarray[Any, Any], bits: int = 12, packing: str = "1.2.840.10008.1.2.1", **tags: Any) -> Path:
    """Write a film as a modality would."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["film"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = Dataset()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Rows, data.Columns = pixels.shape[:2]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = pixels.dtype.itemsize * 8
    data.BitsStored, data.HighBit = bits, bits - 1
    data.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    for name, value in tags.items():
        setattr(data, name, value)
    data.PixelData = pixels.tobytes()
    if packing != ExplicitVRLittleEndian:
        data.compress(UID(packing), generate_instance_uid=False)
    data.save_as(path, enforce_file_format=True)
    return path


def test_a_monochrome1_film_comes_out_bone_white(shared: Path) -> None:
    """The 15-bit JPEG 2000 film: the spine and the heart are brighter than the lungs (it was also looked at)."""
    film = films.read(shared / "images" / "RG1_J2KI.dcm")
    assert film.shape == (1955, 1841) and film.dtype == np.uint8
    spine, right_lung, left_lung = film[600:1400, 860:980].mean(), film[700:900, 450:600].mean(), film[1050:1250, 1250:1350].mean()
    assert spine > 1.15 * max(right_lung, left_lung)
    heart, low_lung = film[1250:1400, 1100:1250].mean(), film[1250:1350, 1400:1500].mean()
    assert heart > low_lung


def test_every_real_film_opens_and_its_header_check_agrees(shared: Path) -> None:
    for path in sorted((shared / "images").glob("*.png")):
        films.check(path)
        film = films.read(path)
        assert film.ndim == 2 and film.std() > 15
        assert films.read_rgb(path).size == film.shape[::-1]


@pytest.mark.parametrize("packing", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90"], ids=["plain", "rle", "j2k"])
def test_monochrome_1_is_monochrome_2_turned_round(tmp_path: Path, packing: str) -> None:
    two = films.read(dicom(tmp_path / "2.dcm", RAMP, packing=packing))
    one = films.read(dicom(tmp_path / "1.dcm", RAMP, packing=packing, PhotometricInterpretation="MONOCHROME1"))
    assert (one == 255 - two).all()
    assert (two[0, 0], two[-1, -1]) == (0, 255)
    np.testing.assert_allclose(two, RAMP / 4095 * 255, atol=0.51)


@pytest.mark.parametrize("packing", ["1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"], ids=["process 14", "first order"])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_jpeg_is_read_to_the_last_bit(tmp_path: Path, packing: str, bits: int) -> None:
    """Packed by an encoder of the tests, so that no decoder is held against itself."""
    rng = np.random.default_rng(bits)
    pixels = rng.integers(0, 1 << bits, (37, 53)).astype(np.uint8 if bits == 8 else np.uint16)
    plain = dicom(tmp_path / "plain.dcm", pixels, bits)
    for predictor in (1,) if packing.endswith("70") else (1, 2):
        data = pydicom.dcmread(plain)
        data.file_meta.TransferSyntaxUID = packing
        data.PixelData = pydicom.encaps.encapsulate([jpeg_lossless.encode(pixels, bits, predictor)])
        data["PixelData"].VR = "OB"
        data.save_as(tmp_path / "packed.dcm", enforce_file_format=True)
        films.check(tmp_path / "packed.dcm")
        assert (films.read(tmp_path / "packed.dcm") == films.read(plain)).all()


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_are_pydicoms(tmp_path: Path, function: str) -> None:
    """Against pydicom's own windowing of the same file, an independent implementation, brought to 8 bits."""
    from pydicom.pixels.processing import apply_rescale, apply_voi_lut

    tags: dict[str, Any] = {
        "WindowCenter": [1800, 40],
        "WindowWidth": [900, 80],
        "VOILUTFunction": function,
        "RescaleSlope": 2,
        "RescaleIntercept": -1000,
    }
    path = dicom(tmp_path / "a.dcm", RAMP, **tags)
    data = pydicom.dcmread(path)
    seen = np.asarray(apply_voi_lut(apply_rescale(data.pixel_array, data), data), np.float64)
    # pydicom maps the window to the range of the rescaled values: -1000 to 2 * 4095 - 1000.
    np.testing.assert_allclose(films.read(path), (seen + 1000) / 8190 * 255, atol=0.51)


def test_a_look_up_table_goes_before_a_window(tmp_path: Path) -> None:
    from pydicom.dataset import Dataset

    table = Dataset()
    table.add_new(0x00283002, "US", [4096, 0, 10])
    table.add_new(0x00283006, "US", [1023 - value // 4 for value in range(4096)])
    film = films.read(dicom(tmp_path / "a.dcm", RAMP, VOILUTSequence=[table], WindowCenter=100, WindowWidth=10))
    np.testing.assert_allclose(film, (1023 - RAMP // 4) / 1023 * 255, atol=0.51)


def test_signed_pixels_and_padding(tmp_path: Path) -> None:
    pixels = RAMP.astype(np.int16) - 2048
    pixels[:, :8] = -32768
    film = films.read(dicom(tmp_path / "a.dcm", pixels, 16, PixelPaddingValue=-32768, PhotometricInterpretation="MONOCHROME1"))
    assert (film[:, :8] == 0).all()
    assert film[0, 8] == 255 and film[-1, -1] == 0


def test_deep_pngs_keep_their_depth(tmp_path: Path) -> None:
    Image.fromarray(RAMP * 3).save(tmp_path / "deep.png")
    np.testing.assert_allclose(films.read(tmp_path / "deep.png"), RAMP / 4095 * 255, atol=0.51)
    assert films.read_rgb(tmp_path / "deep.png").getpixel((63, 63)) == (255, 255, 255)


def test_colour_stays_for_those_who_want_it(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (200, 10, 10)).save(tmp_path / "a.png")
    assert films.read_rgb(tmp_path / "a.png").getpixel((0, 0)) == (200, 10, 10)
    assert films.read(tmp_path / "a.png")[0, 0] == round(0.299 * 200 + 0.587 * 10 + 0.114 * 10)
    Image.new("L", (4, 4), 77).save(tmp_path / "a.jpg")
    assert films.read(tmp_path / "a.jpg").tolist() == [[77] * 4] * 4


def png_of(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims a size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("look", [films.check, films.read])
def test_bombs_are_refused_from_their_headers(tmp_path: Path, look: Any) -> None:
    (tmp_path / "a.png").write_bytes(png_of(20_000, 20_000))
    (tmp_path / "b.png").write_bytes(png_of(10_001, 10_000))
    for name in ("a.png", "b.png"):
        with pytest.raises(InputError, match=rf"{name}: it unpacks to more than 100,000,000 pixels"):
            look(tmp_path / name)
    many = dicom(tmp_path / "c.dcm", RAMP, NumberOfFrames="64")
    with pytest.raises(InputError, match="64 frames"):
        look(many)
    wide = dicom(tmp_path / "d.dcm", RAMP)
    data = pydicom.dcmread(wide)
    data.Rows = data.Columns = 60_000
    data.save_as(wide)
    with pytest.raises(InputError, match="more than 100,000,000 pixels"):
        look(wide)


def test_a_packed_film_larger_than_its_header_is_refused(tmp_path: Path) -> None:
    from pydicom.encaps import encapsulate

    path = dicom(tmp_path / "a.dcm", RAMP, packing="1.2.840.10008.1.2.4.90")
    packed = io.BytesIO()
    Image.new("L", (3000, 3000)).save(packed, "JPEG2000", no_jp2=True)
    data = pydicom.dcmread(path)
    data.PixelData = encapsulate([packed.getvalue()])
    data.save_as(path)
    with pytest.raises(InputError, match="differ in size"):
        films.read(path)


@pytest.mark.parametrize("shape", dicom_shapes.WIDE)
def test_a_file_with_far_more_structure_than_a_film_is_refused_before_it_is_parsed(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: the parser may read the file a bounded number of times, whatever the file holds."""
    reads = 0
    once = dicom_file.Bounded.read

    def counted(self: dicom_file.Bounded, size: int | None = -1) -> bytes:
        nonlocal reads
        reads += 1
        return once(self, size)

    monkeypatch.setattr(dicom_file.Bounded, "read", counted)
    content = dicom_shapes.WIDE[shape]()
    with pytest.raises(InputError, match="far more elements than a film"):
        films.rgb_of(content, "it")
    assert 0 < reads <= 2 * dicom_file.READS + 2


def test_what_real_films_hold_is_far_below_the_bounds(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_file, "READS", dicom_file.READS // 100)
    assert films.read(shared / "images" / "RG1_J2KI.dcm").size


def test_a_file_that_is_deflated_as_a_whole_is_never_unpacked(tmp_path: Path) -> None:
    data = pydicom.dcmread(dicom(tmp_path / "a.dcm", RAMP))
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    data.save_as(tmp_path / "b.dcm", enforce_file_format=True)
    for look in (films.check, films.read):
        with pytest.raises(InputError, match="deflated as a whole"):
            look(tmp_path / "b.dcm")


def test_broken_files_are_one_problem_with_their_name(tmp_path: Path) -> None:
    Image.fromarray(RAMP.astype(np.uint8)).save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.png").write_text("the patient's name")
    whole = dicom(tmp_path / "whole.dcm", RAMP).read_bytes()
    (tmp_path / "cut.dcm").write_bytes(whole[:-4000])
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "head.dcm").write_bytes(whole[:150])
    Image.new("L", (9, 9)).save(tmp_path / "a.bmp")
    for name in ("cut.png", "text.png", "cut.dcm", "empty.dcm", "head.dcm", "a.bmp"):
        with pytest.raises(InputError) as caught:
            films.read(tmp_path / name)
        assert name in str(caught.value) and "patient" not in str(caught.value)
    with pytest.raises(InputError, match="is not there"):
        films.check(tmp_path / "none.png")


def test_random_damage_never_escapes(tmp_path: Path) -> None:
    """Forty damaged copies of a packed film: each is read or is an InputError."""
    whole = dicom(tmp_path / "a.dcm", RAMP, packing="1.2.840.10008.1.2.4.90").read_bytes()
    draw = np.random.RandomState(1)
    for number in range(40):
        data = bytearray(whole)
        for place in draw.randint(132, len(data), 1 + number):
            data[place] = draw.randint(256)
        (tmp_path / "b.dcm").write_bytes(bytes(data))
        with suppress(InputError):
            assert films.read(tmp_path / "b.dcm").dtype == np.uint8
