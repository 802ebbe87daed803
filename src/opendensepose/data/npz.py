"""Arrays of numbers in .npz files, which may come from anywhere: no error advises to run their content."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

__all__ = ["read_arrays"]


def read_arrays(
    path: str | Path, names: Sequence[str], optional: Sequence[str] = (), content: bytes | None = None
) -> dict[str, np.ndarray]:
    """Read the named arrays of an .npz, those of `optional` if they are there.

    content: of the file, if it is at hand: path only names it then.

    FileNotFoundError or another OSError if the file cannot be opened; ValueError, one sentence that names it, if it is
    damaged, no .npz, lacks a name, or an array holds Python objects.
    """
    with open(path, "rb") if content is None else BytesIO(content) as file:
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in (*names, *optional) if name in arrays or name in names}
        except KeyError as error:
            raise ValueError(f"{path}: {str(error).strip(chr(39))}.") from None
        except (ValueError, TypeError):  # numpy's own sentence advises to load pickles; a lone array is no context
            raise ValueError(f"{path} is not an .npz of arrays of numbers, or it is damaged.") from None
        except (OSError, EOFError) as error:
            raise ValueError(f"{path} is not an .npz that can be read: {error}.") from None
        except Exception as error:  # zipfile and zlib have errors of their own
            raise ValueError(f"{path} is damaged: {error}.") from None
