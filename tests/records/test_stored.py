"""Reading what was stored: bounds, kinds, seals, archives; every error is one that names the file."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import pytest

from harness.errors import InputError, StoreError
from harness.storage import archives, stored
from harness.storage.shaped import ShapeError, build
from harness.storage.stored import SEAL, Source, content, each, keep, lines, parse, read_object, schema_of, seal, unsealed
from harness.types import Image, Role, Section, Study, SystemCard

SOURCE = Source("a/file.json", "the thing", "Restore it")


@dataclass(frozen=True)
class Inner:
    role: Role
    ends: tuple[float, float]


@dataclass(frozen=True)
class Outer:
    name: str
    count: int
    flag: bool
    inner: tuple[Inner, ...]
    by_name: Mapping[str, Inner] = field(default_factory=dict)
    section: Section | None = None


GOOD = {
    "name": "x",
    "count": 3,
    "flag": True,
    "inner": [{"role": "floor", "ends": [1, 2.5]}],
    "by_name": {"a": {"role": "system", "ends": [0.0, 0.5]}},
    "section": "both",
}


def test_json_becomes_the_dataclass_that_it_was_written_from() -> None:
    made = build(Outer, GOOD)
    assert made.inner == (Inner(Role.FLOOR, (1.0, 2.5)),) and made.section is Section.BOTH
    study = Study("s", "p", images=(Image("i", "a/b.png", "PA"),), frontal="i", age=64.5, sex="F", strata={"split": "test"})
    assert build(Study, json.loads(json.dumps(asdict(study)))) == study
    assert build(SystemCard, {"name": "A", "sections": None}) == SystemCard("A")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 1}, "name is not text"),
        ({"name": None}, "name is not text"),
        ({"count": True}, "count is not a whole number"),
        ({"count": 3.0}, "count is not a whole number"),
        ({"flag": 1}, "flag is not true or false"),
        ({"inner": {}}, "inner is not a list"),
        ({"inner": [{"role": "king", "ends": [1, 2]}]}, "inner holds a value that role is not one of system, floor, ceiling"),
        ({"inner": [{"role": "floor", "ends": [1]}]}, "ends does not hold 2 values"),
        ({"inner": [{"role": "floor", "ends": [1, float("nan")]}]}, "is not a finite number"),
        ({"inner": [{"role": "floor", "ends": [1, 10**400]}]}, "is too large a number"),
        ({"inner": [{"role": "floor"}]}, "inner holds a value that has no ends"),
        ({"by_name": []}, "by_name is not an object"),
        ({"section": ""}, "section is not one of findings, impression, both"),
        ({"secret patient name": 1}, "it has an unknown field"),
    ],
)
def test_a_field_of_another_kind_is_named_and_its_value_is_not(change: Mapping[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message) as caught:
        build(Outer, {**GOOD, **change})
    assert "secret" not in str(caught.value) and "king" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[" * 200_000,
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a": ' * 20_000 + b"1" + b"}" * 20_000,
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\\ud800"}',
        b"1" * 5_000,
        bytes(100),
    ],
)
def test_what_is_no_json_names_the_file(data: bytes) -> None:
    with pytest.raises(StoreError, match=r"a/file.json: the thing cannot be read: .*Restore it"):
        parse(data, SOURCE)
    with pytest.raises(InputError, match=r"a/file.json"):
        parse(data, Source("a/file.json", "the thing", "Restore it", InputError))


def test_a_seal_finds_each_change_of_the_content_and_none_of_the_form() -> None:
    sealed = seal({"a": [1.1, {"b": "ü"}], "c": None})
    assert unsealed(json.loads(json.dumps(sealed, indent=7, sort_keys=True)), SOURCE) == {"a": [1.1, {"b": "ü"}], "c": None}
    assert seal(sealed) == sealed and unsealed({"a": 1}, SOURCE) == {"a": 1}
    text = json.dumps(sealed, ensure_ascii=False)
    found = 0
    for at in range(len(text)):
        changed = f"{text[:at]}{chr(ord(text[at]) ^ 1)}{text[at + 1 :]}"
        try:
            got = unsealed(parse(changed.encode(), SOURCE), SOURCE)
        except StoreError:
            found += 1
        else:
            # The name of the seal itself: then it is a field that no reader knows.
            assert SEAL not in text[at : at + 1] and set(got) - {"a", "c"}
    assert found > 0.9 * len(text)


def test_a_newer_file_asks_for_an_update_and_a_strange_one_does_not() -> None:
    assert schema_of({"schema": 2}, SOURCE, 3) == 2
    with pytest.raises(StoreError, match=r"its schema is 4, this program reads up to 3\. Update ranscore"):
        schema_of({"schema": 4}, SOURCE, 3)
    for odd in ({}, {"schema": "1"}, {"schema": True}, {"schema": 0}, {"schema": None}, {"schema": 1.0}):
        with pytest.raises(StoreError, match="it has no schema"):
            schema_of(odd, SOURCE, 3)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    import os

    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long").write_bytes(b"x" * 11)
    for name in ("folder", "link", "pipe", "nothing", "long"):
        with pytest.raises(StoreError, match=f"{name}: the thing cannot be read"):
            content(tmp_path / name, Source(str(tmp_path / name), "the thing", ""), 10)
        with pytest.raises(StoreError, match=f"{name}: the thing cannot be read"):
            list(lines(tmp_path / name, Source(str(tmp_path / name), "the thing", ""), 10))


def test_the_rest_is_read_and_what_is_named_by_its_content_is_written_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, text in {"a": "{}", "b": "{", "c": "{}"}.items():
        (tmp_path / name).write_text(text)
    paths = [tmp_path / name for name in "abc"]
    assert (
        list(each(paths, lambda path: read_object(path, Source(path.name, "it", "")))) == [{}, {}] and "b: it cannot be read" in caplog.text
    )

    def check() -> None:
        if content(tmp_path / "a", SOURCE) != b"good":
            raise SOURCE.wrong("changed")

    keep(tmp_path / "a", b"good", check)
    assert (tmp_path / "a").read_bytes() == b"good" and len(list(tmp_path.glob(".a.*.damaged"))) == 1
    keep(tmp_path / "a", b"good", check)
    assert len(list(tmp_path.iterdir())) == 4


def test_arrays_survive_their_archive_and_no_damage_of_it_is_more_than_an_error() -> None:
    arrays = {
        "values": np.arange(60.0).reshape(12, 5),
        "names": np.array(["a", "bc"]),
        "column": np.asfortranarray(np.eye(3)),
        "none": np.zeros((0, 2)),
    }
    for write in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        write(stream, **arrays)  # type: ignore[arg-type]
        found = archives.arrays(stream.getvalue(), SOURCE)
        assert all(np.array_equal(found[name], array) for name, array in arrays.items())
        errors = 0
        for number in range(400):
            random = Random(number)
            data = bytearray(stream.getvalue())
            for _ in range(random.choice((1, 1, 5))):
                data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            data = data[: random.randrange(len(data))] if random.random() < 0.2 else data
            try:
                archives.arrays(bytes(data), SOURCE)
            except StoreError:
                errors += 1
        assert errors > 200


def test_an_archive_that_declares_too_much_takes_no_memory() -> None:
    def packed(header: bytes, count: int) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.npy", header + bytes(count))
        return stream.getvalue()

    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)})
    pickle = io.BytesIO()
    np.lib.format.write_array_header_1_0(pickle, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    small = io.BytesIO()
    np.lib.format.write_array_header_1_0(small, {"descr": "<f8", "fortran_order": False, "shape": (4,)})
    cases = [packed(huge.getvalue(), 8), packed(pickle.getvalue(), 8), packed(small.getvalue(), 8), packed(small.getvalue(), 300 << 20)]
    tracemalloc.start()
    for data in cases:
        with pytest.raises(StoreError, match="cannot be read"):
            archives.arrays(data, SOURCE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 64 << 20
    assert stored.LARGEST < 300 << 20
