"""The allowed files of an archive or a folder, read into memory: nothing is unpacked onto the disk."""

import contextlib
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from opendensepose.synth.wardrobe.allow_list import allowed_path, is_allowed

__all__ = ["read_allowed"]

MAX_BYTES = 1 << 25  # of one file; the largest allowed one has 3 MB
DEB_MAGIC = b"!<arch>\n"


def read_allowed(source: Path, allowed: Mapping[str, str]) -> dict[str, bytes]:
    """Read those files of `source` that are in `allowed` (SHA-256 by path): content by path, perhaps none.

    source: a folder, or an archive: .tgz and other tar files, .zip, .deb. ValueError if it is none of these, is
    damaged, or holds an allowed file with another checksum.
    """
    found = {}
    try:
        for path, content in _files_in(source, allowed):
            if not is_allowed(content, allowed[path]):
                raise ValueError(f"its {PurePosixPath(path).name} has another checksum than the listed file")
            found[path] = content
    except (ValueError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{source} cannot be used: {error}") from error
    return found


def _files_in(source: Path, allowed: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    if source.is_dir():
        return _files_in_folder(source, allowed)
    with source.open("rb") as file:
        beginning = file.read(8)
    if beginning == DEB_MAGIC:
        return _files_in_deb(source, allowed)
    if beginning.startswith(b"PK"):
        return _files_in_zip(source, allowed)
    return _files_in_tar(source, allowed)


def _files_in_folder(folder: Path, allowed: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Look for each file where it would lie if the folder were one on its path; nothing else is searched."""
    for path in allowed:
        parts = PurePosixPath(path).parts
        for start in range(len(parts)):
            place = folder.joinpath(*parts[start:])
            if place.is_file() and place.stat().st_size <= MAX_BYTES:
                yield path, place.read_bytes()
                break


def _files_in_zip(source: Path, allowed: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            path = allowed_path(member.filename, allowed)
            if path is not None and member.file_size <= MAX_BYTES:
                yield path, archive.read(member)


def _files_in_tar(source: Path, allowed: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    try:
        archive = tarfile.open(source)
    except tarfile.ReadError as error:  # its own message names every compression
        raise ValueError("it is neither a folder nor a whole archive (.tgz, .tar, .zip, .deb)") from error
    with archive:
        yield from _files_of_members(archive, allowed)


def _files_in_deb(source: Path, allowed: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """dpkg-deb turns the package into a tar stream, whichever way it is compressed."""
    dpkg = shutil.which("dpkg-deb")
    if dpkg is None:
        raise ValueError(
            "a .deb is read by dpkg-deb, which is not installed; unpack it and name the folder of the files"
        )
    with contextlib.ExitStack() as stack:
        command = [dpkg, "--fsys-tarfile", str(source)]
        process = stack.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        )
        stack.callback(process.kill)  # where reading stops early
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            yield from _files_of_members(archive, allowed)


def _files_of_members(archive: tarfile.TarFile, allowed: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Regular files only: a link may point anywhere."""
    for member in archive:
        path = allowed_path(member.name, allowed) if member.isreg() and member.size <= MAX_BYTES else None
        content = None if path is None else archive.extractfile(member)
        if path is not None and content is not None:
            yield path, content.read()
