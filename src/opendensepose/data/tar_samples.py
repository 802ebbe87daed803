"""WebDataset's layout: samples in .tar files, each some files <key>.<suffix> one after the other, uncompressed.

Written with Python's tarfile, and read by any WebDataset reader. Here they are also read in any order: where each file
begins is found once, by its headers. So a sampler may draw samples at random and go on exactly where it was.
"""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["TarSamples", "write_sample"]


def write_sample(tar: tarfile.TarFile, key: str, files: Mapping[str, bytes]) -> None:
    """Append a sample: suffix -> content. ValueError for a key or suffix that readers would split elsewhere."""
    for suffix, content in files.items():
        if "." in key or "." in suffix:
            raise ValueError(f"neither a sample's key nor a suffix may have a dot, got {key!r} and {suffix!r}.")
        entry = tarfile.TarInfo(f"{key}.{suffix}")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))


class TarSamples:
    """The samples of all .tar files in a folder, sorted by file. keys: of all samples. It can be sent to worker
    processes: it holds places only.

    ValueError, one sentence, if the folder has no .tar, one is damaged, or two samples share a key.
    """

    def __init__(self, folder: str | Path):
        paths = sorted(Path(folder).glob("*.tar"))
        if not paths:
            raise ValueError(f"{folder} has no .tar files.")
        self._places: dict[str, dict[str, tuple[Path, int, int]]] = {}
        for path in paths:
            try:
                with tarfile.open(path, "r:") as tar:
                    for entry in tar:
                        self._add(path, entry)
            except tarfile.TarError as error:
                raise ValueError(f"{path} is no .tar that can be read, or it is cut off: {error}.") from error

    def _add(self, path: Path, entry: tarfile.TarInfo) -> None:
        if not entry.isfile():
            return
        key, _, suffix = entry.name.partition(".")
        files = self._places.setdefault(key, {})
        if suffix in files:
            raise ValueError(f"{path} has a second sample {key}: one is in {files[suffix][0]}.")
        files[suffix] = path, entry.offset_data, entry.size

    @property
    def keys(self) -> list[str]:
        return list(self._places)

    def read(self, key: str, suffix: str) -> bytes:
        """The content of <key>.<suffix>. KeyError if there is none, ValueError if the file has become shorter."""
        path, start, size = self._places[key][suffix]
        with path.open("rb") as file:
            file.seek(start)
            content = file.read(size)
        if len(content) < size:
            raise ValueError(f"{path} is cut off at {key}.{suffix}.")
        return content
