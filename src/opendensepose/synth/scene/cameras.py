"""Cameras and framings: portraits cropped as a detector crops them, whole photos, scenes."""

from typing import NamedTuple

import numpy as np

from opendensepose.camera import Camera, look_at
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.kinds import draw_kind

__all__ = ["frame_portrait", "portrait_camera", "scene_camera", "scene_spots", "whole_photo"]


def portrait_camera(
    rng: np.random.Generator, enabled_ingredients: Ingredients, target: np.ndarray, reach: float
) -> Camera:
    """Draw a camera on the -y side that looks at a body with middle target (3,) and radius reach, metres."""
    if not enabled_ingredients.cameras:
        rotation, translation = look_at(target + np.array([0, -4.0, 0]), target)
        return Camera(rotation, translation, 1.0, (0.0, 0.0), (1, 1))
    distance = 0.45 + reach * np.exp(rng.uniform(np.log(1.05), np.log(9.0)))
    if rng.random() < 0.68:
        height = target[2] + rng.normal(0.15, 0.2)
    else:
        height = target[2] + distance * np.tan(np.radians(rng.uniform(-25, 50)))
    height = max(height, 0.05)
    aim = target + rng.normal(0, 0.14, 3) * reach
    position = target + np.array([0.0, -distance, 0.0])
    position[2] = height
    rotation, translation = look_at(position, aim, roll=np.radians(rng.normal(0, 5 if rng.random() < 0.85 else 30)))
    return Camera(rotation, translation, 1.0, (0.0, 0.0), (1, 1))


def _cut(rng: np.random.Generator, box: np.ndarray) -> np.ndarray:
    """The photo's frame (x0, y0, x1, y1) around a person's full box: often it cuts the person off."""
    size = np.array([box[2] - box[0], box[3] - box[1]])
    margin = rng.uniform(0.0, 0.5, 4) ** rng.choice([1.0, 2.5]) * np.array([2.0, 0.8, 2.0, 0.8]) * size.max()
    frame = box + margin * np.array([-1, -1, 1, 1])
    draw = rng.random()
    if draw < 0.42:  # below: knees, hips or chest are where photos end
        frame[3] = box[1] + size[1] * rng.uniform(0.22, 0.97)
    elif draw < 0.47:  # above
        frame[1] = box[1] + size[1] * rng.uniform(0.03, 0.4)
    if rng.random() < 0.14:
        side = rng.integers(2)
        frame[2 * side] = box[2 * side] + (1 - 2 * side) * size[0] * rng.uniform(0.05, 0.45)
    return frame


class _CloseUp(NamedTuple):
    """Where photos of upright people end, as a range of shares of the body's height from the top."""

    weight: float
    low: float
    high: float


_CLOSE_UPS = {
    "head and shoulders": _CloseUp(0.25, 0.19, 0.26),
    "chest": _CloseUp(0.25, 0.28, 0.38),
    "hips": _CloseUp(0.35, 0.44, 0.56),
    "thighs": _CloseUp(0.15, 0.6, 0.72),
}


def _close_up(rng: np.random.Generator, box: np.ndarray) -> np.ndarray:
    """The photo's frame around the upper part of an upright person's box; sometimes it cuts the hair or a shoulder."""
    size = box[2:] - box[:2]
    cut = _CLOSE_UPS[draw_kind(rng, _CLOSE_UPS)]
    margin = rng.uniform(0, 0.3, 3) * size[1] * np.array([1.0, 0.4, 1.0])
    frame = np.array(
        [box[0] - margin[0], box[1] - margin[1], box[2] + margin[2], box[1] + size[1] * rng.uniform(cut.low, cut.high)]
    )
    if rng.random() < 0.3:
        frame[1] = box[1] + size[1] * rng.uniform(0, 0.05)
    if rng.random() < 0.15:
        side = rng.integers(2)
        frame[2 * side] = box[2 * side] + (1 - 2 * side) * size[0] * rng.uniform(0.05, 0.3)
    return frame


def _frame(rng: np.random.Generator, box: np.ndarray, close_ups: bool) -> np.ndarray:
    upright = box[3] - box[1] > 1.5 * (box[2] - box[0])
    if close_ups and upright and rng.random() < 0.22:
        return _close_up(rng, box)
    return _cut(rng, box)


def frame_portrait(
    rng: np.random.Generator,
    enabled_ingredients: Ingredients,
    camera: Camera,
    body_points: np.ndarray,
    size_hw: tuple[int, int],
) -> tuple[Camera, np.ndarray]:
    """Crop a person's photo to a detector's padded, letterboxed box.

    camera: with focal length 1 and centre (0, 0). body_points: (N, 3) world points of the person's skin. Returns the
    crop's camera and the photo's frame (x0, y0, x1, y1) in it; outside the frame the crop is empty.
    """
    xy = camera.project(body_points)
    xy = xy[np.isfinite(xy).all(1)]
    full = np.concatenate([xy.min(0), xy.max(0)])
    frame = (
        _frame(rng, full, enabled_ingredients.more_poses)
        if enabled_ingredients.truncation
        else full + np.array([-9, -9, 9, 9]) * np.ptp(full)
    )
    inside = ((xy > frame[:2]) & (xy < frame[2:])).all(1)
    if inside.sum() < 50:
        inside[:] = True
    box = np.concatenate([xy[inside].min(0), xy[inside].max(0)])
    size = box[2:] - box[:2]
    box = box + rng.normal(0, 0.035, 4) * np.concatenate([size, size])  # a detector's box is not exact
    size = np.maximum(box[2:] - box[:2], 1e-3)
    height, width = size_hw
    pad = 1 + 2 * rng.uniform(0.06, 0.22)
    crop_height = pad * max(size[1], size[0] * height / width)
    crop = np.array([crop_height * width / height, crop_height])
    middle = (box[:2] + box[2:]) / 2 + rng.normal(0, 0.015, 2) * crop
    corner = middle - crop / 2
    scale = width / crop[0]
    shown = camera.cropped((*corner, *(corner + crop)), size_hw)
    return shown, (frame - np.tile(corner, 2)) * scale


def whole_photo(
    rng: np.random.Generator, shown: Camera, frame: np.ndarray, body_points: np.ndarray, size_hw: tuple[int, int]
) -> Camera:
    """Compute the camera of a portrait's whole photo: the image ends where the frame cuts the person off.

    shown, frame: frame_portrait()'s result. body_points: (N, 3) world points of the person's skin.
    """
    height, width = size_hw
    xy = shown.project(body_points)
    full = np.concatenate([np.nanmin(xy, 0), np.nanmax(xy, 0)])
    seen = np.concatenate([np.maximum(full[:2], frame[:2]), np.minimum(full[2:], frame[2:])])
    cut = np.abs(seen - full) > 1e-6
    size = np.maximum(seen[2:] - seen[:2], 1.0)
    share = rng.uniform(0.3, 0.75) if rng.random() < 0.35 else rng.uniform(0.75, 1.0)
    scale = share * min(height / size[1], width / size[0])
    corner = np.zeros(2)
    for axis, length in enumerate((width, height)):
        slack = length - size[axis] * scale
        start = 0.0 if cut[axis] else slack if cut[axis + 2] else slack * rng.uniform(0.1, 0.9)
        corner[axis] = seen[axis] - start / scale
    crop = np.array([width, height]) / scale
    return shown.cropped((*corner, *(corner + crop)), size_hw)


def scene_camera(rng: np.random.Generator, size_hw: tuple[int, int]) -> Camera:
    """Draw a camera over the floor at the origin that looks along +y, for whole photos."""
    height, width = size_hw
    position = np.array([0.0, 0.0, rng.uniform(0.5, 1.9) if rng.random() < 0.8 else rng.uniform(1.9, 4.5)])
    pitch = np.radians(rng.normal(-4, 6)) - 0.12 * max(position[2] - 1.6, 0)
    aim = position + np.array([0.0, 1.0, np.tan(pitch)])
    rotation, translation = look_at(position, aim, roll=np.radians(rng.normal(0, 3)))
    focal = max(height, width) * np.exp(rng.uniform(np.log(0.75), np.log(2.2)))
    return Camera(rotation, translation, float(focal), (width / 2, height / 2), size_hw)


def scene_spots(rng: np.random.Generator, camera: Camera, num_people: int) -> np.ndarray:
    """Draw floor positions, at most (num_people, 2), in view of a scene_camera and at least 0.4 m apart."""
    height, width = camera.size_hw
    spots: list[np.ndarray] = []
    nearest = (
        camera.focal_px * 1.7 / height * (0.75 if num_people < 3 else 1.0)
    )  # a person fills the height at this distance
    for _ in range(num_people * 20):
        distance = nearest * np.exp(rng.uniform(np.log(0.8), np.log(5.0)))
        half = 0.5 * width / camera.focal_px * distance
        spot = np.array([rng.uniform(-half, half) * 0.95, distance])
        if all(np.linalg.norm(spot - other) > 0.4 for other in spots):
            spots.append(spot)
        if len(spots) == num_people:
            break
    return np.array(spots).reshape(-1, 2)
