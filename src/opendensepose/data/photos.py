"""Reading photos: any ordinary image file becomes RGB uint8 the right way up, or one sentence says why not.

The example photo comes with the package: NASA's portrait of the astronaut Eileen Collins. Source: NASA Great Images in
Nasa (GRIN), GPN-2000-001177, taken in 1999, public domain; the crop of 512 x 512 that scikit-image carries as
`skimage.data.astronaut()`, every pixel the same.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from io import BytesIO
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

__all__ = [
    "EXAMPLE_PHOTO",
    "MAX_ASPECT",
    "MAX_PIXELS",
    "PHOTO_SUFFIXES",
    "check_aspect",
    "check_photo",
    "decode_photo",
    "example_photo",
    "exif_focal",
    "find_image",
    "find_photos",
    "open_photo",
    "photo_folders",
    "photo_size_hw",
    "read_photo",
    "read_pixels",
]

EXAMPLE_PHOTO = Path(__file__).with_name("astronaut.webp")
MAX_PIXELS = 50_000_000
# Networks see a photo with its longer side at some 400 pixels (the default) to 1333 (the official ones): at 20 to 1 the
# shorter side has 20 to 67 left, too few for a person. No photo that is worth labelling is narrower, and one of
# MAX_PIXELS is at most 31,623 long then: OpenCV stops at 32,767, a JPEG file at 65,535.
MAX_ASPECT = 20
HARMLESS_SIDE = 1000  # pixels: shorter strips cost little, however narrow
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif")
# What cameras, phones and editors write. Pillow knows more, and starts other programs for some of it, such as EPS. The
# first six load at once; the others may load all of Pillow's plugins.
_FORMATS = ("JPEG", "PNG", "BMP", "DIB", "GIF", "PPM", "WEBP", "TIFF", "AVIF", "JPEG2000")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")  # of the photos of phones; mif1 may be AVIF too
_ANIMATIONS = ("AVIF", "GIF", "PNG", "TIFF", "WEBP")  # may be; the further pictures in a phone's JPEG are small copies
_EXIF_ORIENTATION = 274  # tag; 5 to 8 are on their side
_EXIF_DETAILS, _EXIF_FOCAL_35MM = 0x8769, 41989  # a directory of tags, and one in it
_DIAGONAL_35MM = 43.267  # millimetres, of 36 x 24


def read_photo(path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The photo as (H, W, 3) uint8 RGB: turned as EXIF says, transparency over white, 16 bits scaled to 8, first
    frame.

    FileNotFoundError if there is no such file; ValueError, one sentence, if it is empty, no image, cut off, over
    max_pixels, or much longer than wide or wider than long, see `check_aspect`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes).")
    with open_photo(path, str(path)) as image:
        return _pixels(image, str(path), max_pixels)


def decode_photo(content: bytes, name: str = "the photo", max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The photo in a file's content, as `read_photo` has it; name: what sentences call it.

    ValueError, one sentence, as there, and for animations: how much they unpack to is not known beforehand.
    """
    if not content:
        raise ValueError(f"{name} is empty (0 bytes).")
    with open_photo(BytesIO(content), name) as image:
        with _one_sentence(name):
            has_frames = image.format in _ANIMATIONS and getattr(image, "is_animated", False)
        if has_frames:
            raise ValueError(f"{name} must be one picture, got several frames or pages: choose one of them.")
        return _pixels(image, name, max_pixels)


def _pixels(image: Image.Image, name: str, max_pixels: int) -> np.ndarray:
    """Decode an opened image, see `read_photo`; the size in its header is checked before."""
    width, height = image.size
    if width * height > max_pixels:
        raise ValueError(
            f"{name} has {width} x {height} = {width * height / 1e6:.0f} megapixels,"
            f" more than the limit of {max_pixels / 1e6:.0f}: make it smaller."
        )
    check_aspect((height, width), name)
    with _one_sentence(name):
        image.load()
        ImageOps.exif_transpose(image, in_place=True)  # copies a photo only if it has to be turned
        return np.ascontiguousarray(_to_rgb(image))


def read_pixels(path: str | Path, mode: str) -> np.ndarray:
    """Read the numbers of a picture that holds labels, not colours: mode RGB, (H, W, 3) uint8, or L, (H, W) uint8.

    FileNotFoundError if there is no such file; ValueError, one sentence, if it is no image, damaged or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    with open_photo(path, str(path)) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(
                f"{path} has more than {MAX_PIXELS / 1e6:.0f} megapixels: it is {image.width} x {image.height}."
            )
        if image.mode != mode:
            raise ValueError(f"{path} must be a picture of kind {mode} (Pillow's name), got {image.mode}.")
        with _one_sentence(str(path)):
            return np.array(image)


def check_aspect(size_hw: tuple[int, int], name: str) -> None:
    """Raise ValueError, one sentence, if the longer of height and width is over HARMLESS_SIDE and over MAX_ASPECT times
    the shorter. name: what the sentence calls the photo."""
    height, width = size_hw
    if max(size_hw) > max(HARMLESS_SIDE, MAX_ASPECT * min(size_hw)):
        raise ValueError(
            f"the longer side of {name} must be at most {MAX_ASPECT} times the shorter, got {width} x {height} pixels:"
            " cut out the part that shows people."
        )


def open_photo(source: Path | BytesIO, name: str) -> Image.Image:
    """Open an image and read its header, for `with`; name: what sentences call it. ValueError, one sentence, if it is
    none."""
    with _one_sentence(name):
        try:
            return Image.open(source, formats=_FORMATS)
        except UnidentifiedImageError:
            if not _is_heif(source):
                raise
    if find_spec("pi_heif") is None:
        raise ValueError(f"{name} is a HEIC photo, which is read with a package of its own: pip install pi-heif.")
    from pi_heif import HeifImageFile

    with _one_sentence(name):
        return HeifImageFile(source)


def _is_heif(source: Path | BytesIO) -> bool:
    with nullcontext(source) if isinstance(source, BytesIO) else source.open("rb") as file:
        file.seek(0)
        header = file.read(12)
        file.seek(0)
    return header[4:8] == b"ftyp" and header[8:12] in _HEIF_BRANDS


@contextmanager
def _one_sentence(name: str) -> Iterator[None]:
    """Turn any error of Pillow into a ValueError of one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged EXIF and Pillow's own size warning: max_pixels rules here
            yield
    except (UnidentifiedImageError, KeyError) as error:  # KeyError: a Pillow that was built without one of _FORMATS
        raise ValueError(f"{name} is not an image that can be read.") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} has more megapixels than can be read: make it smaller.") from error
    except Exception as error:  # a damaged file can fail in any way
        first_line = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ValueError(f"{name} is damaged or cut off: {first_line}.") from error


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
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


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
    """The folders in which an annotation file's photos are searched: `images` beside it, then its own folder."""
    beside = Path(annotation_file).parent
    return beside / "images", beside


def find_image(folders: str | Path | Sequence[Path], file_name: str) -> Path:
    """Find a photo by its `file_name`, with or without the name's own folders, in the first folder that has it.

    FileNotFoundError if none has it.
    """
    folders = [Path(folders)] if isinstance(folders, str | Path) else list(folders)
    name = Path(file_name)
    for folder in folders:
        if not name.is_absolute() and ".." not in name.parts and (folder / name).is_file():
            return folder / name
        if (folder / name.name).is_file():
            return folder / name.name
    raise FileNotFoundError(f"there is no {file_name} in {' or '.join(map(str, folders))}.")


def photo_size_hw(path: str | Path) -> tuple[int, int]:
    """Read height and width, as `read_photo` would give them, from the file's header alone.

    ValueError, one sentence, if it is no image.
    """
    path = Path(path)
    with open_photo(path, str(path)) as image, _one_sentence(str(path)):
        is_turned = image.getexif().get(_EXIF_ORIENTATION, 1) >= 5
        return (image.width, image.height) if is_turned else (image.height, image.width)


def exif_focal(path: str | Path) -> float | None:
    """Read a photo's focal length in pixels from EXIF's equivalent for 35 mm film; None if it is not there.

    FileNotFoundError if there is no such file; ValueError, one sentence, if it is no image.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    with open_photo(path, str(path)) as image, _one_sentence(str(path)):
        focal_mm = image.getexif().get_ifd(_EXIF_DETAILS).get(_EXIF_FOCAL_35MM)
        diagonal_px = float(np.hypot(*image.size))
    if not isinstance(focal_mm, int | float) or not 3 <= focal_mm <= 3000:
        return None
    return float(focal_mm) / _DIAGONAL_35MM * diagonal_px


def check_photo(image_rgb: np.ndarray, name: str) -> None:
    """Raise ValueError that says how to convert or cut it, unless it is an array that the networks take."""
    is_array = isinstance(image_rgb, np.ndarray)
    if is_array and image_rgb.dtype == np.uint8 and image_rgb.ndim == 3 and image_rgb.shape[2] == 3 and image_rgb.size:
        check_aspect(image_rgb.shape[:2], name)
        return
    got = f"{image_rgb.dtype} of shape {image_rgb.shape}" if is_array else type(image_rgb).__name__
    raise ValueError(f"{name} must be an RGB array of uint8 of shape (H, W, 3), got {got}{_how_to_convert(image_rgb)}.")


def _how_to_convert(image: object) -> str:
    """Return the end of a sentence about an image that is no RGB array of uint8; empty if there is no way."""
    if not isinstance(image, np.ndarray):
        if hasattr(image, "getexif"):  # Pillow's, which need not be imported here
            return ': convert it with np.asarray(ImageOps.exif_transpose(image).convert("RGB"))'
        if isinstance(image, str | PathLike):
            return ": read the file with opendensepose.data.read_photo(path)"
        return ": convert it to a NumPy array"
    if image.size == 0:
        return ""
    if image.ndim == 4:
        return ": give several photos as a list, list(images)"
    if image.dtype.kind == "f":
        return ": if 1 is white, convert it with (255 * image).round().astype(np.uint8)"
    if image.dtype != np.uint8:
        return ": scale it to 0..255 and convert it with image.astype(np.uint8)"
    if image.ndim == 2:
        return ": repeat a grey image with np.stack([image] * 3, axis=-1)"
    if image.ndim == 3 and image.shape[2] == 4:
        return ": drop the alpha channel with image[..., :3]"
    if image.ndim == 3 and image.shape[0] == 3:
        return ": move the channels last with image.transpose(1, 2, 0)"
    return ""


def example_photo() -> np.ndarray:
    """Return the example photo: (512, 512, 3) uint8 RGB, one person who faces the camera."""
    return read_photo(EXAMPLE_PHOTO)
