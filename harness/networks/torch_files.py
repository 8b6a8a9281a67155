"""Reading PyTorch's file formats: tensors alone, no code executed, no more memory than the file has bytes.

The zip format (since PyTorch 1.6) is read here, straight from the mapped file. The older format is read by `torch.load` with the same
restricted unpickler. Every foreign object of a checkpoint becomes `Inert`.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any

from harness.networks.containers import DamagedError, Member, directory, small_file, stored_members, walk_pickles

if TYPE_CHECKING:
    from torch import Tensor, UntypedStorage, dtype

ALIGNED = 16
"""Bytes: a tensor that begins elsewhere is copied before it is used."""
EXPANDED = 1 << 20
"""Bytes up to which a tensor may be larger than its storage (repeated values)."""


class Inert(dict[Any, Any]):
    """Stands in for every foreign object of a checkpoint (its configuration, say): swallows all, does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> Inert:
        """Ignore what the object was made from."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def __call__(self, *_: Any, **__: Any) -> Inert:
        """Being called is being made again."""
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        """Hold nothing."""

    __setstate__ = append = extend = add = __call__


class PickledTable(dict[Any, Any]):
    """An ordered dictionary that is made empty, and keeps no attributes: made from others, a small pickle could fill the memory."""

    def __init__(self) -> None:
        super().__init__()

    def __setstate__(self, _: Any) -> None:
        """Forget the attributes (a state's versions, say)."""


@dataclass(frozen=True, slots=True)
class StoredTensors:
    """The values of one or several tensors, and of which type they are."""

    values: UntypedStorage
    type: dtype


class Unpickler(pickle.Unpickler):
    """Rebuilds tensors and plain containers; every other name in the file becomes `Inert` without being imported."""

    def find_class(self, module: str, name: str) -> Any:
        """What a name of the file stands for."""
        import torch

        if module == "torch" and name in _types():
            return _types()[name]
        if module == "torch" and isinstance(found := getattr(torch, name, None), torch.dtype):
            return found
        return _KNOWN.get(f"{module}.{name}", Inert)


def read(path: Path) -> Any:
    """What a file of PyTorch holds, on the CPU; the values of a zip file are mapped, not copied.

    Raises:
        DamagedError: It is no file of weights, is damaged, or contradicts itself.
    """
    try:
        with path.open("rb") as stream:
            first = stream.read(4)
        if first == b"PK\x03\x04":
            return _from_zip(path)
        if first[:1] == b"\x80":
            return _from_stream(path)
    except DamagedError:
        raise
    except Exception as error:  # a pickle can make the functions that it names raise anything
        what = f"it is damaged, or holds what cannot be read without executing code ({type(error).__name__})"
        raise DamagedError(what) from None
    raise DamagedError("it is not a PyTorch checkpoint")


def _from_zip(path: Path) -> Any:
    import torch

    listing = directory(path)
    if any(info.filename.rpartition("/")[2] == "constants.pkl" for info in listing):
        raise DamagedError("it is a TorchScript program, not a file of weights")
    members = stored_members(path, listing)
    listed = [name for name in members if name.rpartition("/")[2] == "data.pkl"]
    if len(listed) != 1:
        raise DamagedError("it is not a PyTorch checkpoint: it holds no list of tensors, or several")
    folder = listed[0].removesuffix("data.pkl")
    order = members.get(f"{folder}byteorder")
    if order and small_file(path, order) != b"little":
        raise DamagedError("its numbers are in the byte order of another kind of computer")
    pickled = small_file(path, members[listed[0]])
    walk_pickles(io.BytesIO(pickled), 1)
    mapped: Any = torch.UntypedStorage.from_file(str(path), False, path.stat().st_size)
    values = {name.removeprefix(f"{folder}data/"): member for name, member in members.items()}
    return _ZipUnpickler(io.BytesIO(pickled), mapped, values).load()


class _ZipUnpickler(Unpickler):
    """Takes the values that a pickle names from the mapped file; what it says of them must be true of the file."""

    def __init__(self, stream: IO[bytes], mapped: UntypedStorage, members: Mapping[str, Member]) -> None:
        super().__init__(stream)
        self._mapped, self._members = mapped, members
        self._known: dict[str, UntypedStorage] = {}

    def persistent_load(self, named: Any) -> StoredTensors:
        """The values of one name."""
        kind, type_, key, _, count = named
        member = self._members.get(key)
        if kind != "storage" or member is None or not hasattr(type_, "itemsize"):
            raise DamagedError("it names values that it does not hold")
        if count * type_.itemsize != member.size:
            raise DamagedError("it declares another number of values than it holds")
        if key not in self._known:
            piece: Any = self._mapped[member.start : member.start + member.size]
            self._known[key] = piece if member.start % ALIGNED == 0 else piece.clone()
        return StoredTensors(self._known[key], type_)


def _from_stream(path: Path) -> Any:
    import torch

    with path.open("rb") as stream:
        walk_pickles(stream, 5)  # three that say which format it is, the tensors, and where their values are
    readers = SimpleNamespace(__name__="tolerant", Unpickler=Unpickler, load=lambda stream, **_: Unpickler(stream).load())
    return torch.load(path, map_location="cpu", pickle_module=readers, weights_only=False)


def _tensor(stored: Any, offset: int, size: Sequence[int], stride: Sequence[int], *_: Any) -> Tensor:
    """A tensor on values that are there: torch itself makes room for what goes beyond them."""
    import torch

    values, type_ = (stored.values, stored.type) if isinstance(stored, StoredTensors) else (stored._untyped_storage, stored.dtype)
    if len(size) != len(stride) or not all(type(number) is int and number >= 0 for number in (offset, *size, *stride)):
        raise DamagedError("it declares a tensor without a shape")
    count = math.prod(size)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if (count and (last + 1) * type_.itemsize > values.nbytes()) or count * type_.itemsize > max(values.nbytes(), EXPANDED):
        raise DamagedError("it declares a tensor with more values than it holds")
    return torch.empty(0, dtype=type_).set_(values, offset, tuple(size), tuple(stride))


def _tensor_of_type(stored: Any, offset: int, size: Any, stride: Any, _: Any, __: Any, type_: dtype, *___: Any) -> Tensor:
    return _tensor(
        StoredTensors(stored.values if isinstance(stored, StoredTensors) else stored._untyped_storage, type_), offset, size, stride
    )


def _parameter(data: Any, *_: Any) -> Any:
    return data


def _with_attributes(make: Callable[..., Any], _: Any, made_of: Any, __: Any) -> Any:
    return make(*made_of)


_KNOWN: dict[str, Any] = {
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_of_type,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _with_attributes,
    "collections.OrderedDict": PickledTable,
}


def _types() -> dict[str, dtype]:
    """The types of values by the names that files have for them."""
    import torch

    named = "Double Float Half BFloat16 Long Int Short Char Byte Bool ComplexDouble ComplexFloat Untyped"
    types = (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8),
        *(torch.bool, torch.complex128, torch.complex64, torch.uint8),
    )
    return {f"{name}Storage": type_ for name, type_ in zip(named.split(), types, strict=True)}
