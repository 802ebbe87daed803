"""Files of torch.save (since torch 1.6), read and written without torch: a ZIP file of a pickle, data.pkl, and of the
tensors' numbers.
"""

import io
import pickle
import struct
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.restricted_pickle.reader import STORAGES, Name, Reader, Record, Storage, run

__all__ = ["load_torch", "torch_bytes"]

STORAGE_OF = {"f4": "FloatStorage", "f8": "DoubleStorage", "i8": "LongStorage", "i4": "IntStorage", "u1": "ByteStorage"}


def load_torch(path: str | Path, classes: Collection[str] = ()) -> object:
    """Return what torch.save wrote, with arrays for tensors, bfloat16 as float32.

    classes: whole names of those whose instances become a `Record`. pickle.UnpicklingError, zipfile.BadZipFile or
    KeyError if it is damaged or holds more than arrays, plain containers and such records.
    """
    content = Path(path).read_bytes()
    num_bytes = len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:  # of a file, zipfile reads as much as the file says it has
        entries = archive.infolist()
        if (
            any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
            or sum(entry.file_size for entry in entries) > num_bytes
        ):
            raise pickle.UnpicklingError("it is compressed, or larger inside than outside")
        pickles = [entry for entry in entries if Path(entry.filename).name == "data.pkl"]
        if len(pickles) != 1:
            raise pickle.UnpicklingError(f"it has {len(pickles)} entries data.pkl")
        folder = pickles[0].filename.removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            raise pickle.UnpicklingError("its numbers are not in little-endian order")
        loaded: dict[str, tuple[str, Storage]] = {}

        def storage(identity: Any) -> Storage:
            match identity:
                case ("storage", Name(kind), str(key), _, int(count)) if kind in STORAGES:
                    if key not in loaded:
                        loaded[key] = kind, Storage(_numbers(archive.read(f"{folder}data/{key}"), kind))
                    found_kind, found = loaded[key]
                    if (len(found.numbers), found_kind) != (count, kind):
                        raise pickle.UnpicklingError(
                            f"storage {key:.20} holds {len(found.numbers)} numbers, not {count}"
                        )
                    return found
            raise pickle.UnpicklingError("the pickle refers to something that is no storage")

        return run(Reader(num_bytes, storage, classes), archive.read(pickles[0]))


def _numbers(content: bytes, kind: str) -> np.ndarray:
    """The numbers (K,) of a storage, in the machine's byte order."""
    numbers = np.frombuffer(content, STORAGES[kind]) if content else np.zeros(0, STORAGES[kind])
    if kind == "torch.BFloat16Storage":
        return (numbers.astype(np.uint32) << 16).view(np.float32)
    return numbers.astype(numbers.dtype.newbyteorder("="), copy=False)


def torch_bytes(content: object, name: str = "archive") -> bytes:
    """Return the file that torch.save would write of lists, dicts, text, numbers, None, arrays (as tensors) and
    `Record`s, which become objects of their class when it is loaded.

    name: of the folder inside. TypeError for anything else.
    """
    tensors: list[np.ndarray] = []
    pickled = b"\x80\x02" + _pickled(content, tensors) + b"."  # protocol 2, as torch.save has it
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{name}/data.pkl", pickled)
        archive.writestr(f"{name}/byteorder", b"little")
        for key, tensor in enumerate(tensors):
            archive.writestr(f"{name}/data/{key}", tensor.astype(tensor.dtype.newbyteorder("<")).tobytes())
        archive.writestr(f"{name}/version", b"3\n")
    return file.getvalue()


def _pickled(value: object, tensors: list[np.ndarray]) -> bytes:
    """The opcodes that put a value on the stack; its tensors are appended to the list."""
    match value:
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            size = value.bit_length() // 8 + 1
            return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)
        case float():
            return b"G" + struct.pack(">d", value)
        case str():
            text = value.encode("utf-8", "surrogatepass")
            return b"X" + struct.pack("<I", len(text)) + text
        case list():
            return b"](" + b"".join(_pickled(one, tensors) for one in value) + b"e"
        case tuple():
            return b"(" + b"".join(_pickled(one, tensors) for one in value) + b"t"
        case dict():
            items = (_pickled(key, tensors) + _pickled(one, tensors) for key, one in value.items())
            return b"}(" + b"".join(items) + b"u"
        case Record():
            made = _name(*value.class_name.rsplit(".", 1)) + b")\x81"
            return made + _pickled(value.attributes, tensors) + b"b"
        case np.ndarray():
            return _pickled_tensor(value, tensors)
    raise TypeError(f"torch's file can hold plain containers and arrays, got {type(value).__name__}.")


def _pickled_tensor(array: np.ndarray, tensors: list[np.ndarray]) -> bytes:
    kind = STORAGE_OF.get(array.dtype.str[1:])
    if kind is None:
        raise TypeError(f"an array must be one of {', '.join(STORAGE_OF)}, got {array.dtype}.")
    array = np.ascontiguousarray(array).reshape(array.shape)
    key = str(len(tensors))
    tensors.append(array)
    steps = tuple(step // array.itemsize for step in array.strides)
    storage = b"(" + _pickled("storage", []) + _name("torch", kind)
    storage += b"".join(_pickled(one, []) for one in (key, "cpu", array.size)) + b"tQ"
    view = b"".join(_pickled(one, []) for one in (0, array.shape, steps, False))
    no_hooks = _name("collections", "OrderedDict") + b")R"
    return _name("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + view + no_hooks + b"tR"


def _name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()
