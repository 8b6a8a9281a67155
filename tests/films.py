"""A trained model, films of every kind, and generators that fail: for the page that takes films."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from generators.baseline import trained
from generators.catalogue import Options, System
from harness import films
from harness.cohorts.synthetic import films as synthetic_films
from harness.cohorts.synthetic.cohort import build, invent
from harness.types import Generated, Section, StudyInput


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained baseline's weights, from a few hundred drawn films."""
    folder = tmp_path_factory.mktemp("model")
    path = folder / "model.npz"
    trained.train(build(studies=1, seed=4, images=folder / "films", train=200, dev=1)).save(path)
    return path


def drawn(number: int = 3) -> Image.Image:
    """A film of the synthetic builder."""
    case = list(invent("test", 8, 4))[number]
    return Image.fromarray(synthetic_films.film(False, case.present, dict(case.sides), f"film {number}"))


def saved(picture: Image.Image, kind: str = "PNG") -> bytes:
    """A picture as a file."""
    stream = io.BytesIO()
    picture.save(stream, kind)
    return stream.getvalue()


def dicom(picture: Image.Image, packing: str = "1.2.840.10008.1.2.1", **tags: object) -> bytes:
    """A picture as a modality writes it: 16 bits of which 12 are stored, black bones, a patient's name."""
    import numpy as np
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = ComputedRadiographyImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(entropy_srcs=["film"])
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.PatientName = "Secret^Person"
    data.Rows, data.Columns = picture.height, picture.width
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME1", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelData = (4095 - np.asarray(picture).astype(np.uint16) * 16).tobytes()
    if UID(packing) != ExplicitVRLittleEndian:
        data.compress(UID(packing), generate_instance_uid=False)
    for name, value in tags.items():
        setattr(data, name, value)
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


class Odd:
    """A generator that does as it was told in its settings."""

    name, needs, writes, digest, exact_batches = "odd", frozenset({"frontal"}), Section.BOTH, "odd", True

    def __init__(self, does: str) -> None:
        self.does = does

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        if self.does.endswith(" on black"):
            self._on_black(studies[0])
        if self.does == "waits":
            time.sleep(9)
        if self.does == "prints":
            print("a line for nobody")
            os.write(1, b"another one")
        if self.does == "fails":
            raise RuntimeError(f"a secret about {studies[0].frontal}")
        if self.does == "records":
            return [Generated(study.id, failure="the answer was cut off") for study in studies]
        return [Generated(study.id, "" if self.does == "empty" else "Cardiomegaly.", substituted=("lateral: none",)) for study in studies]

    def _on_black(self, study: StudyInput) -> None:
        """Do what a broken model does, for a film that is black."""

        assert study.frontal is not None
        if films.read(study.frontal).any():
            return
        if self.does.startswith("hangs"):
            time.sleep(600)
        elif self.does.startswith("holds"):
            # One call of C that never gives other threads a chance.
            sum(iter(int, 1))
        else:
            os.kill(os.getpid(), signal.SIGKILL)


def odd(options: Options) -> Odd:
    """Make it."""
    if options.settings["does"] == "import":
        import package_that_is_not_there  # type: ignore[import-not-found]  # noqa: F401
    return Odd(options.settings["does"])


ODD = System(name="odd", make="tests.films:odd", summary="does as it is told", writes=Section.BOTH, settings={"does": "what"})
