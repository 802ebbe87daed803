"""COCO results with IUV crops: a list with one entry per detection, its crop as a PNG in base64 (R = I, G = 255 U,
B = 255 V) under `uv_data` and its size under `uv_shape`, [3, h, w].
"""

import base64
import binascii
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from opendensepose.data.fields import number, numbers
from opendensepose.data.json_files import read_json, write_json
from opendensepose.iuv import IUV, QuantisedIUV
from opendensepose.surface import NUM_CHARTS

__all__ = [
    "Detection",
    "decode_crop",
    "decode_quantised",
    "detection",
    "encode_crop",
    "read_results",
    "result_box",
    "result_entry",
    "write_results",
]


@dataclass(frozen=True)
class Detection:
    """One entry of a results file: image_id; score; box_xyxy (4,) float32 pixels, as the file has it; iuv: the crop
    (h, w), whose top left pixel lies at column int(x0) and row int(y0) of the photo. U and V are 0 on background."""

    image_id: int
    score: float
    box_xyxy: np.ndarray
    iuv: IUV


def read_results(path: str | Path) -> list[dict]:
    """The entries of a results file as they stand there; `detection` decodes one. OSError or ValueError, one sentence,
    if the file is no list of objects with an image_id."""
    entries = read_json(path)
    if not isinstance(entries, list):
        raise ValueError(f"{path}: expected a list of detections, got another JSON value.")
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or type(entry.get("image_id")) is not int:
            raise ValueError(f"{path}: detection {place} has no whole number as its image_id.")
    return entries


def write_results(path: str | Path, entries: Sequence[dict]) -> None:
    """Write entries, as `read_results` or `result_entry` give them, atomically."""
    write_json(path, list(entries))


def detection(entry: dict) -> Detection:
    """Decode an entry with its crop. ValueError, naming the field, if something is missing or invalid."""
    x0, y0, width, height = result_box(entry)
    return Detection(
        image_id=entry["image_id"],
        score=number(entry, "score"),
        box_xyxy=np.array([x0, y0, x0 + width, y0 + height], np.float32),
        iuv=decode_crop(entry),
    )


def result_box(entry: dict) -> np.ndarray:
    """Read an entry's `bbox`: x, y, width, height (4,) float64. ValueError if a side is below 0."""
    box_xywh = numbers(entry, "bbox", 4)
    if not (box_xywh[2:] >= 0).all():
        raise ValueError(f"bbox must have a width and height of at least 0, got {box_xywh.tolist()}.")
    return box_xywh


def decode_crop(entry: dict) -> IUV:
    """Decode the I, U, V crop of an entry. ValueError, naming the field, if it is no such PNG or not of uv_shape."""
    return decode_quantised(entry).to_iuv()


def decode_quantised(entry: dict) -> QuantisedIUV:
    """Decode the crop of an entry as it is stored. ValueError, naming the field, as `decode_crop`."""
    shape = entry.get("uv_shape")
    if not (isinstance(shape, list) and len(shape) == 3 and all(type(n) is int and n > 0 for n in shape)):
        raise ValueError(f"uv_shape must be [3, height, width], got {shape!r}.")
    channels, height, width = shape
    if channels != 3:
        raise ValueError(f"uv_shape must begin with 3 channels, got {shape}.")
    pixels = _decode_png(entry.get("uv_data"), (height, width))
    i = np.ascontiguousarray(pixels[..., 0])
    if i.max() > NUM_CHARTS:
        raise ValueError(f"uv_data: I must be 0 to {NUM_CHARTS}, got {i.max()}.")
    return QuantisedIUV(i, pixels[..., 1], pixels[..., 2])


def _decode_png(text: Any, size_hw: tuple[int, int]) -> np.ndarray:
    """The pixels (h, w, 3) uint8, RGB, of a PNG in base64, which may have line breaks."""
    import cv2  # reads PNG in 0.6 of Pillow's time

    if not isinstance(text, str) or not text:
        raise ValueError("uv_data must be a PNG in base64, got none.")
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("uv_data is not base64.") from None
    _check_png(content, size_hw)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.shape != (*size_hw, 3):
        raise ValueError("uv_data is damaged: its pixels cannot be decoded.")
    return pixels[..., ::-1]


_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}  # by the header's colour type


def _check_png(content: bytes, size_hw: tuple[int, int]) -> None:
    """Raise ValueError unless the bytes are a whole PNG of that size, RGB, 8 bits: cv2 takes some others, too."""
    if not content.startswith(_SIGNATURE):
        raise ValueError("uv_data is not a PNG.")
    place, kinds = len(_SIGNATURE), list[bytes]()
    while not kinds or kinds[-1] != b"IEND":
        size = int.from_bytes(content[place : place + 4])
        body, checksum = content[place + 4 : place + 8 + size], content[place + 8 + size : place + 12 + size]
        if len(checksum) < 4 or zlib.crc32(body) != int.from_bytes(checksum):
            raise ValueError("uv_data is damaged: a part of the PNG is missing or changed.")
        if not kinds:
            _check_header(body, size_hw)
        kinds.append(body[:4])
        place += 12 + size


def _check_header(body: bytes, size_hw: tuple[int, int]) -> None:
    if body[:4] != b"IHDR" or len(body) != 17:
        raise ValueError("uv_data is damaged: the PNG has no header.")
    width, height = int.from_bytes(body[4:8]), int.from_bytes(body[8:12])
    bits, colour = body[12], body[13]
    if (height, width) != size_hw:
        raise ValueError(f"uv_data is a picture of {height} x {width}, uv_shape says {size_hw[0]} x {size_hw[1]}.")
    if colour != 2 or bits != 8:
        raise ValueError(
            f"uv_data must be an RGB picture of 8 bits, got mode {_MODES.get(colour, colour)} of {bits} bits."
        )


def encode_crop(iuv: IUV) -> dict:
    """`uv_shape` and `uv_data` of a crop; U and V are rounded to 255ths."""
    if min(iuv.size_hw) < 1:
        raise ValueError(f"a crop has at least one pixel, got {iuv.size_hw}.")
    pixels = np.stack([iuv.i, np.rint(iuv.u * 255), np.rint(iuv.v * 255)], axis=2).astype(np.uint8)
    png = BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    return {"uv_shape": [3, *iuv.size_hw], "uv_data": base64.b64encode(png.getvalue()).decode("ascii")}


def result_entry(*, image_id: int, score: float, box_xyxy: np.ndarray, iuv: IUV, category_id: int = 1) -> dict:
    """One detection for a results file. box_xyxy: (4,) pixels; iuv: the crop, whose top left pixel lies at column
    int(x0) and row int(y0) of the photo."""
    x0, y0, x1, y1 = (float(edge) for edge in box_xyxy)
    return {
        "image_id": int(image_id),
        "category_id": category_id,
        "score": float(score),
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        **encode_crop(iuv),
    }
