"""Writing a file that torch.load reads, without torch: a ZIP file of a pickle and of the tensors' numbers."""

import struct
import zipfile
from pathlib import Path

import numpy as np

from opendensepose.atomic_write import atomic_file
from opendensepose.restricted_pickle import Record

__all__ = ["save_torch"]

STORAGE_OF = {"f4": "FloatStorage", "f8": "DoubleStorage", "i8": "LongStorage", "i4": "IntStorage", "u1": "ByteStorage"}


def save_torch(path: str | Path, content: object) -> None:
    """Write lists, dicts, text, numbers, None, arrays (as tensors) and `Record`s as torch.save would, atomically.

    A record becomes an object of its class with these attributes when it is loaded. TypeError for anything else.
    """
    tensors: list[np.ndarray] = []
    pickled = b"\x80\x02" + _pickled(content, tensors) + b"."  # protocol 2, as torch.save has it
    with atomic_file(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        folder = Path(path).stem
        archive.writestr(f"{folder}/data.pkl", pickled)
        archive.writestr(f"{folder}/byteorder", b"little")
        for key, tensor in enumerate(tensors):
            archive.writestr(f"{folder}/data/{key}", tensor.astype(tensor.dtype.newbyteorder("<")).tobytes())
        archive.writestr(f"{folder}/version", b"3\n")


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
