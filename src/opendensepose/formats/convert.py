"""Files of one format to files of another, where that has the information."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from opendensepose.data.photos import find_photos, read_photo
from opendensepose.formats.labelled_photo import FindPhoto, LabelledPhoto, drop_unsure, photo_finder, select_people
from opendensepose.formats.table import FORMATS, Content, Format, find_formats

__all__ = ["Conversion", "convert_files", "format_of", "read_labels"]

ENDINGS = {  # the first that fits
    ".npz": "npz",
    ".iuv.png": "iuv-png",
    "_IUV.png": "iuv-legacy",
    "_iuv.png": "pose-with-style",
    ".json": "coco",
    ".pkl": "detectron2",
}


@dataclass
class Conversion:
    """What became of the files. losses: what the new files do not say as the old ones did, in words."""

    losses: list[str]
    written: list[Path] = field(default_factory=list)
    failures: dict[Path, str] = field(default_factory=dict)  # file -> one sentence

    @property
    def exit_code(self) -> int:
        """Return 0 all done, 1 some files failed, 2 nothing was done."""
        return 0 if not self.failures else 1 if self.written else 2


def format_of(path: Path) -> str | None:
    """Name the format of a file by its ending, or by its folder if that is called like a format; None if unknown."""
    for ending, name in ENDINGS.items():
        if path.name.endswith(ending):
            return name
    return path.parent.name if path.parent.name in FORMATS and path.suffix in (".png", ".npy") else None


def convert_files(
    paths: Sequence[Path],
    to: str,
    out_dir: Path,
    *,
    source: str | None = None,
    photos: Sequence[Path] = (),
    person: str | None = None,
    min_confidence: float = 0.0,
    on_file: Callable[[int, int, Path], None] | None = None,
) -> Conversion:
    """Write the labels in files, or in the files of folders, in the format `to` into out_dir.

    source: the files' format, None: told by their names. photos: photos or folders of them, for formats that need the
    photo or do not state its size. person, min_confidence: whose labels, and which. A file that cannot be read is noted
    and the others are done. ValueError, one sentence: an unknown format, or one that needs what the files do not hold.
    """
    target = find_formats(to).get(to)
    if target is None:
        raise ValueError(f"files are converted to one format at a time, got {to!r}.")
    if person is not None:
        select_people([], person)  # says at once if it is no person
    found = _sources(paths, source)
    find_photo = photo_finder(find_photos(list(photos))) if photos else None
    losses = dict.fromkeys(loss for name in set(found.values()) for loss in _losses(name, to, find_photo is not None))
    out_dir.mkdir(parents=True, exist_ok=True)
    conversion = Conversion(list(losses))
    source_of: dict[str, Path] = {}  # by the new files' stem
    for number, (path, name) in enumerate(found.items(), start=1):
        try:
            for labelled in read_labels(path, name, find_photo):
                people = select_people(drop_unsure(labelled.people, min_confidence), person or target.people)
                labelled = replace(_with_photo(labelled, target, find_photo), people=people)
                _check_stem(labelled.stem, path, source_of)
                conversion.written += target.write(out_dir, labelled)
        except (ValueError, OSError) as error:
            conversion.failures[path] = str(error)
        if on_file:
            on_file(number, len(found), path)
    if target.join and conversion.written:
        parts = conversion.written
        conversion.written = target.join(out_dir, parts)
        for part in parts:
            part.unlink()
        with suppress(OSError):  # a run of predict may keep parts there
            parts[0].parent.rmdir()
    return conversion


def _check_stem(stem: str, path: Path, source_of: dict[str, Path]) -> None:
    """Raise ValueError if another photo has been written under this name."""
    if stem in source_of:
        raise ValueError(f"{path} and {source_of[stem]} both have a photo {stem}: convert them into two folders.")
    source_of[stem] = path


def read_labels(path: Path, name: str, find_photo: FindPhoto | None = None) -> Iterator[LabelledPhoto]:
    """Read the photos of a file of the format `name`. ValueError, one sentence, if that cannot be read."""
    read = FORMATS[name].read
    if read is None:
        raise ValueError(f"{name} cannot be read back: {_why_not(name)}.")
    return read(path, find_photo)


def _why_not(name: str) -> str:
    return {
        "viton": "JPEG blurs the colours and U and V are not in it",
        "magicanimate": "its labels are resized and U and V are not in it",
        "dreampose": "it holds U and V, but no chart",
    }.get(name, "it holds colours, but no labels")


def _sources(paths: Sequence[Path], source: str | None) -> dict[Path, str]:
    """Each file's format. ValueError if it is not known, or a folder holds none or several."""
    if source is not None:
        find_formats(source)
    found: dict[Path, str] = {}
    for path in paths:
        if path.is_dir():
            found |= _in_folder(path, source)
        elif not path.exists():
            raise ValueError(f"there is no file or folder {path}.")
        else:
            name = source or format_of(path)
            if name is None:
                raise ValueError(f"{path} does not tell its format by its name: say --from NAME.")
            found[path] = name
    return found


def _in_folder(folder: Path, source: str | None) -> dict[Path, str]:
    files = {path: format_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    readable = {path: name for path, name in files.items() if name and FORMATS[name].read}
    if source is not None:
        readable = {path: name for path, name in readable.items() if name == source}
    names = sorted(set(readable.values()))
    if not names:
        raise ValueError(f"the folder {folder} holds no file of {source or 'a format that can be read'}.")
    if len(names) > 1:
        raise ValueError(f"the folder {folder} holds files of {_and(names)}: say --from NAME.")
    return readable


def _losses(source: str, to: str, has_photos: bool) -> list[str]:
    """What files of `to` say less of than files of `source`. ValueError if they need more."""
    held, target = FORMATS[source].holds, FORMATS[to]
    if FORMATS[source].read is None:
        raise ValueError(f"{source} cannot be read back: {_why_not(source)}.")
    missing = [one for one in Content if one in target.needs - held and one != Content.PHOTO]
    if missing:
        raise ValueError(f"{to} needs {_and(missing)}, which {source} does not hold.")
    if Content.PHOTO in target.needs and not has_photos:
        raise ValueError(f"{to} needs the photos: name them, or their folder, with --photos.")
    lost = [one for one in Content if one in held - target.holds]
    if target.read is None:
        sentences = [f"{to} cannot be read back: {_why_not(to)}"]
    else:
        sentences = [f"{to} does not hold {_and(lost)}"] if lost else []
    if target.people != "all":
        sentences.append(f"{to} is of one person, by default {_PERSON[target.people]}")
    return sentences + ([target.loss] if target.loss and target.loss != FORMATS[source].loss else [])


_PERSON = {"largest": "the largest", "1": "the first"}


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _with_photo(labelled: LabelledPhoto, target: Format, find_photo: FindPhoto | None) -> LabelledPhoto:
    """The same with its pixels, if the target needs them, and with the photo's name, if it is known."""
    path = find_photo(labelled.name) if find_photo else None
    if Content.PHOTO not in target.needs:
        return replace(labelled, name=path.name) if path else labelled
    if path is None:
        raise ValueError(f"the photo {labelled.name} is not among the photos.")
    return replace(labelled, name=path.name, image_rgb=read_photo(path))
