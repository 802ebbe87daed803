"""IUV maps as pictures over the photo: chart colours, contour lines of U and V, both with boxes."""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from opendensepose.instance import DenseAnnotation, Instance
from opendensepose.iuv import IUV
from opendensepose.surface import CHART_COLOURS, NO_VERTEX, SurfaceEmbedding
from opendensepose.visualize.contours import isoline_coverage, outline_coverage, smooth_inside

__all__ = ["check_people", "check_photo", "draw_charts", "draw_contours", "draw_overlay"]

_WHITE, _INK = np.array([255, 255, 255], np.float32), np.array([22, 26, 48], np.float32)


def draw_overlay(
    image_rgb: np.ndarray, instances: Sequence[Instance], *, opacity: float = 0.7, boxes: bool = True
) -> np.ndarray:
    """Paint every `Instance` on the photo (H, W, 3) uint8: charts, U/V contours, outline, and, if boxes, box and score.

    Instances are painted in ascending score: the most confident one is on top. People with an embedding and no charts
    get the colours of its first three coordinates: a body point has one colour in all photos.
    """
    ordered = check_people(image_rgb, instances)
    canvas = image_rgb.astype(np.float32)
    line_px = _line_px(image_rgb)
    for instance in ordered:
        if instance.embedding is not None and not instance.iuv.i.any():
            _paint_embedding(canvas, instance.embedding, opacity=opacity)
        else:
            _paint_charts(canvas, image_rgb, instance.iuv, opacity=opacity)
            _paint_lines(canvas, instance.iuv, line_px=line_px)
    picture = np.clip(canvas + 0.5, 0, 255).astype(np.uint8)
    return _draw_boxes(picture, ordered) if boxes else picture


def draw_charts(image_rgb: np.ndarray, people: Sequence[Instance], *, opacity: float = 0.8) -> np.ndarray:
    """Paint every person's charts in `CHART_COLOURS` on the photo (H, W, 3) uint8; the photo's light shines through."""
    canvas = image_rgb.astype(np.float32)
    for instance in check_people(image_rgb, people):
        _paint_charts(canvas, image_rgb, instance.iuv, opacity=opacity)
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def draw_contours(image_rgb: np.ndarray, people: Sequence[Instance], *, fade: float = 0.45) -> np.ndarray:
    """Draw lines of constant U (white) and V (dark), chart borders and outlines on the photo (H, W, 3) uint8.

    fade: how much of its contrast the photo loses, 0 to 1, so that the lines stand out.
    """
    ordered = check_people(image_rgb, people)
    canvas = image_rgb + fade * (np.float32(128) - image_rgb)
    for instance in ordered:
        _paint_lines(canvas, instance.iuv, line_px=_line_px(image_rgb))
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def check_photo(image_rgb: np.ndarray) -> None:
    """Raise ValueError unless the photo is an RGB array (H, W, 3) uint8."""
    if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8:
        raise ValueError(f"the photo must be uint8 (H, W, 3), got {image_rgb.dtype} {image_rgb.shape}")


def check_people(image_rgb: np.ndarray, people: Sequence[Instance]) -> list[Instance]:
    """Return the people in the order of painting, the most confident last. ValueError if they are not of this photo."""
    check_photo(image_rgb)
    for person in people:
        if isinstance(person, DenseAnnotation):
            raise ValueError("this picture shows a label of every pixel: people must be Instances, not annotations")
        if person.iuv.i.shape != image_rgb.shape[:2]:
            raise ValueError(
                f"the instance's map must have the photo's shape {image_rgb.shape[:2]}, got {person.iuv.i.shape}"
            )
    return sorted(people, key=lambda person: float(person.score))


def _line_px(image_rgb: np.ndarray) -> float:
    return max(1.0, max(image_rgb.shape[:2]) / 1000)


def _paint_charts(canvas: np.ndarray, image_rgb: np.ndarray, iuv: IUV, *, opacity: float) -> None:
    """Paint a map's charts onto the canvas (H, W, 3) float32, in place, working in the person's window only."""
    if not iuv.i.any():
        return
    window = _window(iuv.i > 0)
    i = iuv.i[window]
    person = i > 0
    light = cv2.cvtColor(image_rgb[window], cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None] / 255
    shade = 0.84 + 0.24 * light  # the photo's shading stays visible
    colour = CHART_COLOURS[i].astype(np.float32) * shade
    edge = cv2.GaussianBlur(person.astype(np.float32), (0, 0), 0.6)[..., None]
    alpha = opacity * np.where(person[..., None], np.maximum(edge, 0.5), 0)
    _blend(canvas[window], colour, alpha)


def _paint_lines(canvas: np.ndarray, iuv: IUV, *, line_px: float) -> None:
    """Draw a map's contour lines, chart borders and outline onto the canvas (H, W, 3) float32, in place."""
    if not iuv.i.any():
        return
    window = _window(iuv.i > 0)
    i = iuv.i[window]
    u_lines, v_lines, seams = _chart_lines(i, iuv.u[window], iuv.v[window], line_px)
    _blend(canvas[window], _WHITE, 0.80 * u_lines[..., None])
    _blend(canvas[window], _INK, 0.62 * v_lines[..., None])
    _blend(canvas[window], _INK, 0.35 * seams[..., None])
    outline = outline_coverage(i > 0, width_px=1.3 * line_px)
    _blend(canvas[window], _WHITE, 0.9 * outline[..., None])


def _paint_embedding(canvas: np.ndarray, embedding: SurfaceEmbedding, *, opacity: float) -> None:
    """Paint the pixels of one person onto the canvas (H, W, 3) float32, in place, by their direction in the space."""
    y, x = np.nonzero(embedding.vertex != NO_VERTEX) + embedding.window_xyxy[1::-1, None]
    pixels = embedding.at_pixels(x, y)  # (P, D)
    colours = np.full((len(pixels), 3), 0.5, np.float32)
    length = np.maximum(np.linalg.norm(pixels, axis=1, keepdims=True), 1e-6)
    colours[:, : pixels.shape[1]] += (pixels / length)[:, :3]
    canvas[y, x] += opacity * (255 * colours.clip(0, 1) - canvas[y, x])


def _chart_lines(i: np.ndarray, u: np.ndarray, v: np.ndarray, line_px: float) -> tuple[np.ndarray, ...]:
    """Coverage of U contours, V contours and chart borders, three (H, W) float32 arrays."""
    u_lines, v_lines, seams = (np.zeros(i.shape, np.float32) for _ in range(3))
    long_side = max(i.shape)
    spacing = 0.1 if long_side > 260 else 0.2
    sigma_px = np.clip(long_side / 300, 1.0, 3.0)
    for chart in np.unique(i[i > 0]):
        window = _window(i == chart)
        inside = i[window] == chart
        for lines, field in ((u_lines[window], u[window]), (v_lines[window], v[window])):
            smooth = smooth_inside(field, inside, sigma_px)
            np.maximum(lines, isoline_coverage(smooth, inside, spacing=spacing, width_px=line_px), out=lines)
        np.maximum(seams[window], outline_coverage(inside, width_px=line_px), out=seams[window])
    return u_lines, v_lines, seams


def _window(mask: np.ndarray, margin: int = 4) -> tuple[slice, slice]:
    """Rows and columns of the smallest window that holds a mask (H, W) and a margin around it."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return slice(max(0, y - margin), y + height + margin), slice(max(0, x - margin), x + width + margin)


def _blend(canvas: np.ndarray, colour: np.ndarray, alpha: np.ndarray) -> None:
    """canvas <- (1 - alpha) canvas + alpha colour, in place."""
    canvas += alpha * (colour - canvas)


def _draw_boxes(picture: np.ndarray, instances: Sequence[Instance]) -> np.ndarray:
    """Thin white boxes and a small dark label `person 0.98` at each."""
    if not instances:
        return picture
    image = Image.fromarray(picture).convert("RGBA")
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    long_side = max(image.size)
    line, font_px = max(1, round(long_side / 700)), max(11, round(long_side / 50))
    font = ImageFont.load_default(size=font_px)
    pad = max(2, font_px // 4)
    for instance in instances:
        x0, y0, x1, y1 = (float(value) for value in instance.box_xyxy)
        x0, y0 = max(0.0, x0), max(0.0, y0)
        x1, y1 = min(image.width - 1.0, x1 - 1), min(image.height - 1.0, y1 - 1)
        if x1 - x0 < 2 or y1 - y0 < 2:  # no room for the two outlines
            continue
        draw.rectangle((x0, y0, x1, y1), outline=(18, 22, 40, 150), width=line + 2)
        draw.rectangle((x0 + 1, y0 + 1, x1 - 1, y1 - 1), outline=(255, 255, 255, 235), width=line)
        text = f"person {float(instance.score):.2f}"
        text_width = draw.textlength(text, font=font)
        label_height = font_px + 2 * pad
        label_y = y0 - label_height if y0 >= label_height else y0 + line
        label_x = min(max(0.0, x0), max(0.0, image.width - text_width - 3 * pad))
        frame = (label_x, label_y, label_x + text_width + 3 * pad, label_y + label_height)
        draw.rounded_rectangle(frame, radius=pad, fill=(18, 22, 40, 205))
        draw.text((label_x + 1.5 * pad, label_y + label_height / 2), text, font=font, fill=(255, 255, 255), anchor="lm")
    return np.asarray(Image.alpha_composite(image, layer).convert("RGB"))
