"""Reading what others pickled: a pickle is a program, of which only what makes arrays and plain containers is run here,
and never with more memory than the file accounts for.

Python's own unpickler would call what is admitted with any arguments: `bytes(10**10)`, an array of a shape without its
content, a memo of 2^31 places. Here each byte of an array comes from the file, once, and there is a limit to the rest.
"""

import collections
import math
import pickle
import pickletools
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Name", "Reader", "Record", "STORAGES", "Storage", "load_restricted", "run"]

# Some 40 opcodes make an array, and a checkpoint has some hundred arrays; an opcode makes 216 bytes at most. A dump of
# many photos has more opcodes, and some KB of labels for each hundred of them.
MAX_OPCODES = 300_000
BYTES_PER_OPCODE = 100  # of a larger file
MAX_KEY = 2**60  # of a dict: the hashes of larger numbers can be made to collide
MAX_AXES = 8
ADMITTED = {
    "numpy.ndarray",
    "numpy.dtype",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy.core.numeric._frombuffer",
    "collections.OrderedDict",
    "_codecs.encode",  # how Python 3 pickles bytes for Python 2
    "builtins.bytes",
    "builtins.bytearray",
    "builtins.set",
    "builtins.frozenset",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
}
MODULES = {  # other names of the same: of Python 2, and since numpy 2
    "__builtin__": "builtins",
    "numpy._core.multiarray": "numpy.core.multiarray",
    "numpy._core.numeric": "numpy.core.numeric",
}
STORAGES = {  # numpy has no bfloat16: its bits are the upper half of a float32
    "torch.FloatStorage": "<f4",
    "torch.DoubleStorage": "<f8",
    "torch.HalfStorage": "<f2",
    "torch.BFloat16Storage": "<u2",
    "torch.LongStorage": "<i8",
    "torch.IntStorage": "<i4",
    "torch.ShortStorage": "<i2",
    "torch.CharStorage": "|i1",
    "torch.ByteStorage": "|u1",
    "torch.BoolStorage": "|b1",
}
LITERALS = {
    *("NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT"),
    *("BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


@dataclass(frozen=True)
class Name:
    """Something that the pickle asks for by name; the thing itself is never touched."""

    name: str


@dataclass(eq=False)
class Record:
    """An instance of an admitted class: the class's whole name and its attributes. The class is never touched."""

    class_name: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Storage:
    """The numbers (K,) that torch's tensors are views of."""

    numbers: np.ndarray


@dataclass(eq=False)
class _Unbuilt:
    """An array or dtype whose content comes later. code: of the dtype. places: where the memo has it."""

    code: str | None = None
    places: list[int] = field(default_factory=list)


class Reader:
    """Runs a pickle. storage: gives the numbers of what torch calls a persistent id, None: there are none. classes:
    whole names of those whose instances become a `Record`."""

    def __init__(
        self,
        num_bytes: int,
        storage: Callable[[Any], Storage] | None = None,
        classes: Collection[str] = (),
    ):
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.bytes_left = 2 * num_bytes  # for what is copied: text to bytes, and bytes to an array
        self.max_opcodes = MAX_OPCODES + num_bytes // BYTES_PER_OPCODE
        self.storage, self.classes = storage, frozenset(classes)

    def run(self, data: bytes) -> object:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count >= self.max_opcodes:
                raise pickle.UnpicklingError(f"the pickle has more than {self.max_opcodes:,} opcodes")
            if opcode.name in LITERALS:
                self.stack.append(CONSTANTS.get(opcode.name, argument))
            elif opcode.name == "STOP":
                break
            else:
                self.step(opcode.name, argument)
        return self.stack.pop()

    def step(self, opcode: str, argument: Any) -> None:
        stack = self.stack
        match opcode:
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                self.marks.append(len(stack))
            case "POP":
                stack.pop()
            case "POP_MARK":
                self.since_mark()
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_SET":
                stack.append(set())
            case "LIST":
                stack.append(self.since_mark())
            case "TUPLE":
                stack.append(tuple(self.since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(self.last(int(opcode[-1]))))
            case "DICT":
                items = self.since_mark()
                stack.append({})
                self.set_items(items)
            case "FROZENSET":
                stack.append(frozenset(map(_key, self.since_mark())))
            case "APPEND":
                self.extend(self.last(1))
            case "APPENDS":
                self.extend(self.since_mark())
            case "SETITEM":
                self.set_items(self.last(2))
            case "SETITEMS":
                self.set_items(self.since_mark())
            case "ADDITEMS":
                members = [_key(one) for one in self.since_mark()]
                self.top(set).update(members)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memoize(argument)
            case "MEMOIZE":
                self.memoize(len(self.memo))
            case _:
                self.step_beyond_containers(opcode, argument)

    def step_beyond_containers(self, opcode: str, argument: Any) -> None:
        match opcode:
            case "GET" | "BINGET" | "LONG_BINGET":
                self.stack.append(self.memo[argument])
            case "GLOBAL":
                self.stack.append(self.named(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                self.stack.append(self.named(*self.last(2)))
            case "REDUCE":
                function, arguments = self.last(2)
                self.stack.append(self.call(function, arguments))
            case "NEWOBJ":
                kind, arguments = self.last(2)
                if not isinstance(kind, Name) or kind.name not in self.classes or arguments != ():
                    raise pickle.UnpicklingError(f"the pickle makes an object of {kind!r:.100}")
                self.stack.append(Record(kind.name))
            case "BUILD":
                (state,) = self.last(1)
                self.build(state)
            case "BINPERSID" if self.storage:
                self.stack.append(self.storage(*self.last(1)))
            case _:
                raise pickle.UnpicklingError(f"the pickle has the opcode {opcode}")

    def last(self, count: int) -> list:
        """Take the last `count` entries off the stack."""
        if len(self.stack) < count:
            raise pickle.UnpicklingError("the pickle's stack is empty")
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def since_mark(self) -> list:
        """Take what lies above the last mark off the stack."""
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise pickle.UnpicklingError(f"the pickle takes a {type(self.stack[-1]).__name__} for a {kind.__name__}")
        return self.stack[-1]

    def extend(self, entries: list) -> None:
        self.top(list).extend(entries)

    def set_items(self, keys_and_values: list) -> None:
        pairs = zip(keys_and_values[::2], keys_and_values[1::2], strict=True)
        self.top(dict).update((_key(key), value) for key, value in pairs)

    def memoize(self, place: int) -> None:
        self.memo[place] = self.stack[-1]
        if isinstance(self.stack[-1], _Unbuilt):
            self.stack[-1].places.append(place)

    def call(self, function: Any, arguments: Any) -> Any:
        """What the admitted functions would give for the arguments that real pickles have."""
        match getattr(function, "name", None), arguments:
            case "collections.OrderedDict", ():
                return collections.OrderedDict()
            case "collections.OrderedDict", (list(pairs),):  # of Python 2
                return collections.OrderedDict((_key(key), value) for key, value in pairs)
            case "_codecs.encode", (str(text), "latin1"):
                self.spend(len(text))
                return text.encode("latin1")
            case "builtins.bytes", ():
                return b""
            case "builtins.bytearray", ():
                return bytearray()
            case "builtins.bytearray", (bytes(content),):
                self.spend(len(content))
                return bytearray(content)
            case "builtins.set" | "builtins.frozenset" as name, (list(members),):
                made = frozenset(map(_key, members))
                return set(made) if name == "builtins.set" else made
            case "numpy.dtype", (str(code), *_) if re.fullmatch("f[248]|[iu][1248]|b1", code):
                return _Unbuilt(code)
            case "numpy.core.multiarray._reconstruct", (Name("numpy.ndarray"), (0,), _):
                return _Unbuilt()
            case "numpy.core.multiarray.scalar", (np.dtype() as dtype, content):
                return self.array(content, dtype, (), False)[()]
            case "numpy.core.numeric._frombuffer", (content, np.dtype() as dtype, shape, order):
                return self.array(content, dtype, shape, order == "F")
            case "torch._utils._rebuild_tensor_v2", (Storage() as storage, int(offset), size, stride, *_):
                return self.view(storage.numbers, offset, size, stride)
            case "torch._utils._rebuild_parameter", (np.ndarray() as tensor, *_):
                return tensor
        name = getattr(function, "name", type(function).__name__)
        raise pickle.UnpicklingError(f"the pickle calls {name} with other arguments than an array's or container's")

    def build(self, state: Any) -> None:
        """Give the last entry its content."""
        unbuilt = self.stack[-1]
        match unbuilt, state:
            case _Unbuilt(None), (int(), shape, np.dtype() as dtype, bool(is_fortran) | int(is_fortran), content):
                built = self.array(content, dtype, shape, bool(is_fortran))
            case _Unbuilt(str(code)), (int(), "<" | ">" | "|" | "=" as order, None, None, None, *_):
                built = np.dtype(order + code)
            case Record(), dict():
                unbuilt.attributes.update(state)
                return
            case collections.OrderedDict(), _:  # attributes, like torch's _metadata: of no use here
                return
            case _:
                raise pickle.UnpicklingError(f"the pickle changes a {type(unbuilt).__name__}")
        self.stack[-1] = built
        for place in unbuilt.places:
            self.memo[place] = built

    def array(self, content: Any, dtype: np.dtype, shape: Any, is_fortran: bool) -> np.ndarray:
        """Make an array of the machine's byte order. content: all of it, as bytes or, from Python 2, as text."""
        raw = content.encode("latin1") if isinstance(content, str) else content
        num_bytes = _count(shape) * dtype.itemsize
        if not isinstance(raw, bytes | bytearray) or len(raw) != num_bytes:
            got = f"{len(raw)} bytes" if isinstance(raw, bytes | bytearray) else type(raw).__name__
            raise pickle.UnpicklingError(f"an array of {shape} {dtype} needs {num_bytes} bytes, got {got}")
        self.spend(num_bytes)
        flat = np.frombuffer(raw, dtype) if raw else np.zeros(0, dtype)
        return flat.reshape(shape, order="F" if is_fortran else "C").astype(dtype.newbyteorder("="), order="K")

    def view(self, numbers: np.ndarray, offset: int, size: Any, stride: Any) -> np.ndarray:
        """Copy out what torch calls a strided view of the numbers (K,)."""
        count = _count(size)
        _count(stride)
        if len(stride) != len(size) or offset < 0:
            raise pickle.UnpicklingError(f"a tensor of {size} has strides {stride} and offset {offset}")
        last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
        if count and last >= len(numbers):
            raise pickle.UnpicklingError(f"a tensor reaches to number {last} of a storage of {len(numbers)}")
        self.spend(count * numbers.itemsize)
        if not count:
            return np.zeros(size, numbers.dtype)
        steps = [step * numbers.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(numbers[offset:], size, steps, writeable=False).copy()

    def named(self, module: Any, name: Any) -> Name:
        whole = f"{MODULES.get(module, module)}.{name}"
        if whole not in ADMITTED and whole not in STORAGES and whole not in self.classes:
            raise pickle.UnpicklingError(f"the pickle asks for {whole:.100}")
        return Name(whole)

    def spend(self, num_bytes: int) -> None:
        self.bytes_left -= num_bytes
        if self.bytes_left < 0:
            raise pickle.UnpicklingError("its arrays are larger than the file")


def _key(key: Any) -> str | bytes | int | None:
    if not isinstance(key, str | bytes | None) and not (isinstance(key, int) and abs(key) < MAX_KEY):
        raise pickle.UnpicklingError(f"the keys of a dict are text or numbers, got {type(key).__name__}")
    return key


def _count(shape: Any) -> int:
    """Count the entries of an array of this shape."""
    if (
        not isinstance(shape, tuple)
        or len(shape) > MAX_AXES
        or not all(type(side) is int and 0 <= side < MAX_KEY for side in shape)
    ):
        raise pickle.UnpicklingError("the shape of an array is a few whole numbers")
    return math.prod(shape)


def load_restricted(data: bytes) -> object:
    """Return what a pickle holds. pickle.UnpicklingError if that is more than arrays of numbers and plain
    containers."""
    return run(Reader(len(data)), data)


def run(reader: Reader, data: bytes) -> object:
    try:
        return reader.run(data)
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise pickle.UnpicklingError(f"the pickle is damaged: {first_line:.200}") from error
