"""Photographed panoramas from their EXR files to arrays: a background each, and the light it gives."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from opendensepose.synth.drawing.environment_light import LUMA, split_key_light
from opendensepose.synth.drawing.spherical_harmonics import solid_angles

__all__ = ["ENCODED_WHITE", "decode_radiance", "encode_radiance", "pack_panoramas"]

WEBP_QUALITY = 90
ENCODED_WHITE = 254.5  # what 255 is read as: the brightest radiance is 255 units, not infinite
VERY_BRIGHT = 50  # units
_KEY_LIGHT = {f"key_{part}": part for part in ("direction", "irradiance", "radius")}  # columns: fields of KeyLight
PEOPLE = {  # boxes (x0, y0, x1, y1) of people in the panoramas, painted over
    "sunset": [
        (218, 252, 258, 268), (256, 244, 284, 283), (281, 254, 300, 297), (768, 253, 797, 263), (800, 253, 860, 264),
        (769, 255, 782, 269), (776, 269, 798, 300), (828, 254, 848, 276), (858, 254, 870, 266), (869, 252, 902, 274),
    ]
}  # fmt: skip


def pack_panoramas(files: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """Convert panoramas, content by path of EXR files (H, W, 3), to arrays by key.

    "panoramas/images/<name>": a WebP file (N,) uint8 of the encoded radiance. With one row for each panorama,
    "panoramas/" and: names (P,); unit (P,) radiance, for decode_radiance(); coefficients (P, 9, 3) of the radiance
    without the key light; key_direction (P, 3) towards that light, key_irradiance (P, 3), key_radius (P,) radians.
    """
    arrays: dict[str, np.ndarray] = {}
    columns: dict[str, list] = {name: [] for name in ("unit", "coefficients", *_KEY_LIGHT)}
    for path, content in files.items():
        name = PurePosixPath(path).stem
        radiance = _read_exr(content, name)
        key, coefficients = split_key_light(radiance)
        unit = _unit(radiance)
        image = _without_people(encode_radiance(_without_rings(radiance, unit), unit), PEOPLE.get(name, ()))
        coded = cv2.imencode(".webp", image[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])[1]
        arrays[f"panoramas/images/{name}"] = coded.reshape(-1)
        columns["unit"].append(unit)
        columns["coefficients"].append(coefficients)
        for column, part in _KEY_LIGHT.items():
            columns[column].append(getattr(key, part))
    tables = {f"panoramas/{name}": np.array(values, np.float32) for name, values in columns.items()}
    return {"panoramas/names": np.array([PurePosixPath(path).stem for path in files]), **tables, **arrays}


def _without_rings(radiance: np.ndarray, unit: float) -> np.ndarray:
    """Fill the black rings that lossy compression left around very bright lamps."""
    luminance = (radiance @ LUMA).astype(np.float32)
    near_lamp = cv2.dilate(luminance, np.ones((9, 9))) > VERY_BRIGHT * unit
    closed = cv2.morphologyEx(radiance.astype(np.float32), cv2.MORPH_CLOSE, np.ones((7, 7)))
    return np.where(near_lamp[..., None], closed, radiance)


def _without_people(image: np.ndarray, boxes: Sequence[tuple[int, int, int, int]]) -> np.ndarray:
    """Inpaint the boxes (x0, y0, x1, y1) of a picture."""
    mask = np.zeros(image.shape[:2], np.uint8)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = 1
    return cv2.inpaint(image, mask, 3, cv2.INPAINT_TELEA) if mask.any() else image


def encode_radiance(radiance: np.ndarray, unit: float) -> np.ndarray:
    """Encode radiance (..., 3) as uint8: sqrt(x / (1 + x)) for x in units, fine at pictures' levels, coarse above."""
    x = np.maximum(radiance, 0) / unit
    return (np.sqrt(x / (1 + x)) * 255).round().astype(np.uint8)


def decode_radiance(image: np.ndarray, unit: float) -> np.ndarray:
    """Invert encode_radiance(): (..., 3) float32 radiance."""
    square = (np.minimum(image.astype(np.float32), ENCODED_WHITE) / 255) ** 2
    return unit * square / (1 - square)


def _unit(radiance: np.ndarray) -> float:
    """The mean luminance, each pixel counted up to sixteen times the median."""
    luminance = radiance @ LUMA
    weights = np.broadcast_to(solid_angles(radiance.shape[:2]), luminance.shape)
    return float(np.average(np.minimum(luminance, 16 * np.median(luminance)), weights=weights))


def _read_exr(content: bytes, name: str) -> np.ndarray:
    """(H, W, 3) float64 linear radiance; what lossy compression made negative is 0."""
    import OpenEXR  # an extra: only needed here

    with tempfile.TemporaryDirectory() as folder:  # the library reads files only
        path = Path(folder, f"{name}.exr")
        path.write_bytes(content)
        with OpenEXR.File(str(path)) as file:
            pixels = np.array(next(iter(file.channels().values())).pixels[..., :3], np.float64)
    return np.maximum(pixels, 0)
