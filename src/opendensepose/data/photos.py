"""Reading photos: any ordinary image file becomes RGB uint8 the right way up, or one sentence says why not."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

__all__ = ["MAX_PIXELS", "PHOTO_SUFFIXES", "find_image", "find_photos", "photo_folders", "photo_size_hw", "read_photo"]

MAX_PIXELS = 50_000_000
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_EXIF_ORIENTATION = 274  # tag; 5 to 8 are on their side


def read_photo(path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The photo as (H, W, 3) uint8 RGB: turned as EXIF says, transparency over white, 16 bits scaled to 8, first
    frame.

    FileNotFoundError if there is no such file; ValueError, one sentence, if it is empty, no image, cut off or over
    max_pixels.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes).")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged EXIF and Pillow's own size warning: max_pixels rules here
            with Image.open(path) as image:
                width, height = image.size
                if width * height > max_pixels:
                    raise ValueError(
                        f"{path} has {width} x {height} = {width * height / 1e6:.0f} megapixels,"
                        f" more than the limit of {max_pixels / 1e6:.0f}: make it smaller."
                    )
                image.load()
                return np.ascontiguousarray(_to_rgb(ImageOps.exif_transpose(image)))
    except UnidentifiedImageError as error:
        raise ValueError(f"{path} is not an image that can be read.") from error
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"{path} has more than the limit of {max_pixels / 1e6:.0f} megapixels: make it smaller."
        ) from error
    except (OSError, SyntaxError, EOFError) as error:
        raise ValueError(f"{path} is damaged or cut off: {str(error).rstrip('.')}.") from error


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I") or image.mode == "F":
        grey = np.asarray(image).astype(np.float64)
        full = 65535.0 if grey.max(initial=0) > 255 else 255.0
        grey = np.clip(grey * (255.0 / full), 0, 255).round().astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"))


def find_photos(paths: list[str | Path]) -> list[Path]:
    """Files as they are, folders replaced by the image files in them (by suffix, sorted, not deeper).

    ValueError, one sentence, if a path does not exist or a folder holds no image.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in PHOTO_SUFFIXES and p.is_file())
            if not inside:
                raise ValueError(f"the folder {path} holds no image ({', '.join(PHOTO_SUFFIXES)}).")
            found.extend(inside)
        elif path.exists():
            found.append(path)
        else:
            raise ValueError(f"there is no file or folder {path}.")
    return found


def photo_folders(annotation_file: str | Path) -> tuple[Path, Path]:
    """Where the photos of an annotation file are looked for: in `images` beside it, as `render` has it, then beside
    it."""
    beside = Path(annotation_file).parent
    return beside / "images", beside


def find_image(folders: str | Path | Sequence[Path], file_name: str) -> Path:
    """The file of an annotation file's `file_name` in the first folder of photos that has it: with the folders that the
    name has, or without them. FileNotFoundError if none has it."""
    folders = [Path(folders)] if isinstance(folders, str | Path) else list(folders)
    name = Path(file_name)
    for folder in folders:
        if not name.is_absolute() and ".." not in name.parts and (folder / name).is_file():
            return folder / name
        if (folder / name.name).is_file():
            return folder / name.name
    raise FileNotFoundError(f"there is no {file_name} in {' or '.join(map(str, folders))}.")


def photo_size_hw(path: str | Path) -> tuple[int, int]:
    """Height and width that `read_photo` would give, from the file's head alone. ValueError, one sentence, if it is no
    image."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                is_turned = image.getexif().get(_EXIF_ORIENTATION, 1) >= 5
                return (image.width, image.height) if is_turned else (image.height, image.width)
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, OSError) as error:
        raise ValueError(f"{path} is not an image that can be read.") from error
