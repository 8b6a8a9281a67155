"""Files of weights that are damaged, lie or are huge: each is refused with its name, by what it declares, before memory is taken."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from generators.baseline import trained
from generators.blocks import hub_folder
from generators.promptmrg.recall import load_features, rows
from harness.errors import InputError
from harness.networks import checkpoints

WEIGHTS = {f"layer.{number}": torch.arange(12.0).reshape(3, 4) + number for number in range(4)}
LAYOUT = dict.fromkeys(WEIGHTS, (3, 4))


def read(path: Path) -> dict[str, torch.Tensor]:
    """Read weights as every loader does: tensors, then the layout."""
    found = checkpoints.read(path)
    checkpoints.check(found, LAYOUT, str(path))
    return found


def packed(path: Path, change: Callable[[dict[str, bytes]], None] = lambda _: None, kind: int = zipfile.ZIP_STORED) -> Path:
    """PyTorch's archive, its files changed and packed again."""
    stream = io.BytesIO()
    torch.save(WEIGHTS, stream)
    with zipfile.ZipFile(stream) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def with_pickle(data: bytes) -> Callable[[dict[str, bytes]], None]:
    """Puts another list of tensors into the archive."""

    def change(files: dict[str, bytes]) -> None:
        files["archive/data.pkl"] = data

    return change


def tensor(count: int, size: tuple[int, ...], stride: tuple[int, ...], key: str = "0") -> bytes:
    """The pickle of one tensor, with whatever it likes to say of itself."""

    class Storage:
        pass

    class Made:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return torch._utils._rebuild_tensor_v2, (Storage(), 0, size, stride, False, OrderedDict())

    class Pickler(pickle.Pickler):
        def persistent_id(self, item: object) -> object:
            return ("storage", torch.FloatStorage, key, "cpu", count) if isinstance(item, Storage) else None

    stream = io.BytesIO()
    Pickler(stream, 2).dump({"layer.0": Made()})
    return stream.getvalue()


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_checkpoint_that_was_packed_again_compressed_is_refused(kind: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.pt: its files are compressed .* packed it again"):
        read(packed(tmp_path / "a.pt", kind=kind))


@pytest.mark.parametrize("name", ["", "x", "xx", "xxx/"])
def test_a_checkpoint_that_was_packed_again_uncompressed_gives_the_right_numbers_wherever_they_begin(name: str, tmp_path: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        moved = dict(files)
        files.clear()
        files.update({f"{name}y": b"z" * 3, **moved})

    found = read(packed(tmp_path / "a.pt", change))
    assert all(torch.equal(found[key], WEIGHTS[key]) for key in WEIGHTS)


def step_bomb() -> bytes:
    return b"\x80\x02(" + b"]" * 1_100_000 + b"l."


PICKLES: dict[str, tuple[bytes, str]] = {
    "more values than are there": (tensor(1000, (1000,), (1,)), "another number of values"),
    "fewer values than are there": (tensor(3, (3,), (1,)), "another number of values"),
    "a tensor beyond its values": (tensor(12, (3, 5), (5, 1)), "more values than it holds"),
    "a tensor of four gigabytes": (tensor(12, (10**9,), (1,)), "more values than it holds"),
    "a tensor of a trillion repeated values": (tensor(12, (10**6, 10**6), (0, 0)), "more values than it holds"),
    "a tensor of negative size": (tensor(12, (-3, 4), (4, 1)), "without a shape"),
    "a tensor that goes backwards": (tensor(12, (3, 4), (-4, 1)), "without a shape"),
    "a tensor with half a shape": (tensor(12, (3, 4), (4,)), "without a shape"),
    "values that are nowhere": (tensor(12, (3, 4), (4, 1), "../version"), "names values that it does not hold"),
    "a memo of four billion places": (b"\x80\x02}r\xff\xff\xff\xff.", "steps"),
    "a text of a terabyte": (b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"x.", "damaged"),
    "bytes of eight exabytes": (b"\x80\x04\x8e" + struct.pack("<Q", (1 << 63) - 1) + b"x.", "damaged"),
    "a number of two gigabytes": (b"\x80\x02\x8b" + struct.pack("<i", (1 << 31) - 1) + b"x.", "damaged"),
    "a million lists": (step_bomb(), "more than 1000000 steps"),
    "seventeen megabytes": (b"\x80\x02" + b"X" + struct.pack("<I", 17 << 20) + b"x" * (17 << 20) + b".", "longer than 16777216"),
    "a dictionary made of a list": (b"\x80\x02ccollections\nOrderedDict\n](K\x01K\x02\x86e\x85R.", "TypeError"),
    "no end": (b"\x80\x02}", "damaged"),
    "nothing": (b"", "damaged"),
    "an unknown step": (b"\x80\x02\xfe.", "damaged"),
    "an empty stack": (b"\x80\x02.", "damaged"),
    "an unknown protocol": (b"\x80\x63N.", "damaged"),
    "a storage without a name": (b"\x80\x02NQ.", "damaged"),
    "a list instead of a table": (b"\x80\x02].", "no table of tensors"),
    "a function called": (b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.", "no table of tensors|4 missing tensors"),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_list_of_tensors_that_lies_is_refused_by_what_it_says(name: str, tmp_path: Path) -> None:
    data, message = PICKLES[name]
    with pytest.raises(InputError, match=message) as caught:
        read(packed(tmp_path / "a.pt", with_pickle(data)))
    assert "a.pt: " in str(caught.value) and len(str(caught.value)) < 600


def big_end(files: dict[str, bytes]) -> None:
    files["archive/byteorder"] = b"big"


def second(files: dict[str, bytes]) -> None:
    files["other/data.pkl"] = files["archive/data.pkl"]


def without(files: dict[str, bytes]) -> None:
    del files["archive/data.pkl"]


def program(files: dict[str, bytes]) -> None:
    files["archive/constants.pkl"] = b""


def short(files: dict[str, bytes]) -> None:
    files["archive/data/1"] = files["archive/data/1"][:-4]


ARCHIVES = {
    "another byte order": (big_end, "byte order"),
    "two lists": (second, "or several"),
    "no list": (without, "no list of tensors"),
    "a program": (program, "TorchScript"),
    "a short member": (short, "another number of values"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_contradicts_itself_is_refused(name: str, tmp_path: Path) -> None:
    change, message = ARCHIVES[name]
    with pytest.raises(InputError, match=message):
        read(packed(tmp_path / "a.pt", change))


def patched(name: str, data: bytes) -> bytes:
    """An archive with one lie in its directory or in a file's own header."""
    changed = bytearray(data)
    directory = data.index(b"PK\x01\x02")
    if name == "encrypted":
        changed[directory + 8] |= 1
    elif name == "overlapping":
        last = data.rindex(b"PK\x01\x02")
        changed[last + 20 : last + 28] = struct.pack("<II", len(data), len(data))
    elif name == "elsewhere":
        changed[directory + 42 : directory + 46] = struct.pack("<I", 7)
    elif name == "beyond the end":
        changed[directory + 42 : directory + 46] = struct.pack("<I", 1 << 31)
    elif name == "another name":
        changed[30] ^= 1
    elif name == "checksum":
        changed[data.index(b"layer.0")] ^= 1
    elif name == "directory of two gigabytes":
        changed[-10:-6] = struct.pack("<I", 1 << 31)
    return bytes(changed)


LIES = ["encrypted", "overlapping", "elsewhere", "beyond the end", "another name", "checksum", "directory of two gigabytes"]


@pytest.mark.parametrize("name", LIES)
def test_a_directory_that_lies_is_refused(name: str, tmp_path: Path) -> None:
    path = packed(tmp_path / "a.pt")
    path.write_bytes(patched(name, path.read_bytes()))
    with pytest.raises(InputError, match=r"a\.pt: "):
        read(path)


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.5, 0.8, 0.95, 0.999])
def test_a_file_that_is_cut_off_anywhere_is_refused(share: float, new: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=new)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(InputError, match=r"a\.pth: "):
        read(path)


def test_an_old_file_that_declares_more_values_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    at = data.index(b"K\x0c", data.index(b"FloatStorage"))  # the number 12, in one byte
    path.write_bytes(data[:at] + b"J\x00\x00\x00\x40" + data[at + 2 :])
    with pytest.raises(InputError, match=r"a\.pth: it is damaged"):
        read(path)


def headed(header: bytes, body: bytes = b"\x00" * 48, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + body


def entry(**more: object) -> bytes:
    return json.dumps({"layer.0": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48], **more}}).encode()


SAFETENSORS = {
    "header beyond the end": headed(entry(), length=1 << 40),
    "header of 17 megabytes": headed(b"{" + b" " * (17 << 20) + b"}"),
    "no JSON": headed(b"not json"),
    "no UTF-8": headed(b'{"\xff": 1}'),
    "deep": headed(b"[" * 100_000),
    "list": headed(b"[]"),
    "unknown type": headed(entry(dtype="F31")),
    "shape that does not fit": headed(entry(shape=[3, 5])),
    "shape of 2^80 values": headed(entry(shape=[1 << 40, 1 << 40])),
    "negative shape": headed(entry(shape=[-3, -4])),
    "offsets beyond the end": headed(entry(data_offsets=[0, 4800])),
    "offsets turned round": headed(entry(data_offsets=[48, 0])),
    "a hole": headed(entry(shape=[3, 3], data_offsets=[0, 36])),
    "no offsets": headed(b'{"layer.0": {"dtype": "F32", "shape": [3, 4]}}'),
    "one tensor twice": headed(entry()[:-1] + b", " + entry(data_offsets=[48, 96])[1:]),
    "cut off": headed(entry(), b"\x00" * 40),
    "empty": b"",
    "seven bytes": b"\x00" * 7,
}


@pytest.mark.parametrize("name", SAFETENSORS)
def test_a_safetensors_file_that_lies_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(SAFETENSORS[name])
    with pytest.raises(InputError, match=r"a\.safetensors: "):
        read(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_a_value_that_is_no_number_is_refused_and_its_tensor_is_named(kind: torch.dtype, value: float, tmp_path: Path) -> None:
    bad = {name: tensor.to(kind).clone() for name, tensor in WEIGHTS.items()}
    save_file(bad, tmp_path / "good.safetensors")
    assert len(read(tmp_path / "good.safetensors")) == 4
    bad["layer.2"][1, 3] = value
    save_file(bad, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=r"a\.safetensors: 1 tensors hold NaN or infinity: layer\.2\."):
        read(tmp_path / "a.safetensors")


def test_a_mask_may_hold_infinity_and_whole_numbers_and_empty_tensors_are_none_of_the_matter() -> None:
    mask = {
        "attn.causal_mask": torch.full((2, 2), float("-inf")),
        "ids": torch.arange(3),
        "none": torch.empty(0),
        "flag": torch.tensor(True),
    }
    checkpoints.check(mask, {name: tuple(tensor.shape) for name, tensor in mask.items()}, "w.pt")


def arrays(**changed: object) -> dict[str, Any]:
    made: dict[str, object] = {"mean": np.zeros(1024), "scale": np.ones(1024), "directions": np.zeros((1024, 20))}
    made |= {"offsets": np.zeros(20), "thresholds": np.full(20, np.inf), **changed}
    return {name: array for name, array in made.items() if array is not None}


def npy(header: str, body: bytes = b"", version: bytes = b"\x01\x00", length: int | None = None) -> bytes:
    text = header.encode()
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + version + size + text + body


HEAD = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }\n"
MEMBERS = {
    "two gigabytes of zeros": npy(HEAD % "268435456,", b"\x00" * (32 << 20)),
    "a shape that wraps round": npy(HEAD % "4611686018427387904, 4"),
    "a trillion values": npy(HEAD % "1000000000000,"),
    "fewer values than it says": npy(HEAD % "20,", b"\x00" * 159),
    "more values than it says": npy(HEAD % "20,", b"\x00" * 161),
    "objects": npy("{'descr': '|O', 'fortran_order': False, 'shape': (20,), }\n", pickle.dumps([1] * 20)),
    "texts": npy("{'descr': '<U9', 'fortran_order': False, 'shape': (20,), }\n", b"\x00" * 720),
    "a header of four gigabytes": npy("x", b" " * 4096, b"\x02\x00", 0xFFFFFFFF),
    "a header that computes": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10**9**9,), }\n"),
    "a deep header": npy("(" * 5000),
    "no header": b"\x93NUMPY\x01\x00",
    "no array": b"hello",
    "nothing": b"",
}


@pytest.mark.parametrize("name", MEMBERS)
def test_an_array_that_lies_is_refused_before_it_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    np.savez(path, **arrays(offsets=None))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("offsets.npy", MEMBERS[name])
    with pytest.raises(InputError, match=r"m\.npz: it is not a trained baseline"):
        trained.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": None}, "KeyError"),
        ({"mean": np.zeros(1023)}, r"mean has shape \(1023,\)"),
        ({"mean": np.zeros(1024, complex)}, "real numbers"),
        ({"directions": np.zeros((20, 1024)).T}, "directions"),
        ({"mean": np.full(1024, np.nan)}, "mean hold NaN"),
        ({"scale": np.full(1024, np.inf)}, "scale hold NaN"),
        ({"thresholds": np.full(20, np.nan)}, "thresholds hold NaN"),
    ],
)
def test_a_baseline_with_an_array_of_another_kind_is_refused(change: dict[str, object], message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", **arrays(**change))
    with pytest.raises(InputError, match=message):
        trained.load(tmp_path / "m.npz")


def test_a_baseline_that_is_well_is_read_compressed_or_not_and_damage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    for save in (np.savez_compressed, np.savez):
        save(path, **arrays(mean=np.arange(1024.0)))
        assert trained.load(path).mean.tolist() == list(range(1024))
    data = path.read_bytes()
    for broken in (data[:100], data[: len(data) // 2], data[:-30], data.replace(b"\x00\x00\xf0?", b"\x00\x00\xf0@", 1), b"PK\x03\x04"):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"m\.npz: "):
            trained.load(path)


def shards(folder: Path, weight_map: object) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


INDEXES: dict[str, tuple[object, str]] = {
    "a list": (["a.safetensors"], "names no shard"),
    "nothing": ({}, "names no shard"),
    "a number": (7, "names no shard"),
    "another folder": ({"layer.0": "../a.safetensors"}, "1 shards that it names are missing"),
    "the root": ({"layer.0": "/etc/hostname"}, "1 shards that it names are missing"),
    "a dot": ({"layer.0": "."}, "1 shards that it names are missing"),
    "two dots": ({"layer.0": ".."}, "1 shards that it names are missing"),
    "a null": ({"layer.0": "a\x00b"}, r"a\\x00b"),
    "a long name": ({"layer.0": "x" * 100_000}, "1 shards"),
    "a line end": ({"layer.0": "a\nWARNING: b"}, r"a\\nWARNING"),
    "a thousand names": ({str(number): f"{number}.safetensors" for number in range(1000)}, "1000 shards"),
    "an object": ({"layer.0": {"file": 1}}, "1 shards"),
}


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_of_shards_that_lies_is_refused(name: str, tmp_path: Path) -> None:
    weight_map, message = INDEXES[name]
    shards(tmp_path, weight_map)
    with pytest.raises(InputError, match=message) as caught:
        hub_folder.tensors(tmp_path)
    assert "index.json: " in str(caught.value) and len(str(caught.value)) < 1000


@pytest.mark.parametrize("data", [b"[" * 300_000, b"\xff\xfe", b"{", b"[]", b"", b'{"weight_map": 1' + b"0" * 5000 + b"}"])
def test_an_index_that_is_no_object_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_bytes(data)
    with pytest.raises(InputError, match=r"index\.json: "):
        hub_folder.tensors(tmp_path)


def test_a_file_of_settings_that_is_longer_than_any_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "config.json").open("wb") as stream:
        stream.truncate(65 << 20)
    with pytest.raises(InputError, match="longer than 67108864 bytes"):
        hub_folder.settings(tmp_path, "config.json")


def test_two_shards_with_a_tensor_of_one_name_are_refused(tmp_path: Path) -> None:
    save_file(dict(list(WEIGHTS.items())[:3]), tmp_path / "a.safetensors")
    save_file(dict(list(WEIGHTS.items())[2:]), tmp_path / "b.safetensors")
    shards(tmp_path, {"layer.0": "a.safetensors", "layer.3": "b.safetensors"})
    for load in (hub_folder.tensors, hub_folder.hashed):
        with pytest.raises(InputError, match=r"b\.safetensors: it and another shard hold layer\.2"):
            load(tmp_path)


FEATURES = {
    "a shape beyond the file": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 4), }\n", b"\x00" * 64),
    "another width": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", b"\x00" * 24),
    "objects": npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 4), }\n", pickle.dumps([1] * 8)),
    "texts": npy("{'descr': '<U1', 'fortran_order': False, 'shape': (2, 4), }\n", b"\x00" * 32),
    "whole numbers": npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 4), }\n", b"\x00" * 32),
    "no header": b"\x93NUMPY\x01\x00",
    "a header that computes": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2**9, 4), }\n", b"\x00" * 64),
    "no number": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4), }\n", struct.pack("<4f", 0, float("nan"), 0, 0)),
    "infinity": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4), }\n", struct.pack("<4f", 0, float("inf"), 0, 0)),
    "JSON that is cut off": b"[[1, 2, 3, 4], [1, 2",
    "JSON without its last bracket": b"[[1, 2, 3, 4], [1, 2, 3, 4]",
    "two lists": b"[[1, 2, 3, 4]][[1, 2, 3, 4]]",
    "JSON of unequal rows": b"[[1, 2, 3, 4], [1, 2]]",
    "JSON of texts": b'[["a", "b", "c", "d"]]',
    "deep JSON": b"[" * 5000,
    "an object": b'{"a": 1}',
    "nothing": b"",
}


@pytest.mark.parametrize("name", FEATURES)
def test_features_of_reports_that_lie_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "features"
    path.write_bytes(FEATURES[name])
    with pytest.raises(InputError, match=r"features: "):
        load_features(path, 4)


def test_a_row_of_features_without_an_end_is_not_read_on(tmp_path: Path) -> None:
    asked: list[int] = []

    class Endless(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            asked.append(size or 0)
            return "[" if len(asked) == 1 else "1," * 300_000

    with pytest.raises(ValueError, match="without an end"):
        list(rows(Endless()))
    assert len(asked) < 9
