"""Who stands where, and from where they are seen: people, lights and cameras of a picture, drawn from one rng."""

from dataclasses import dataclass

import numpy as np
import torch

from opendensepose.camera import Camera, cross, look_at
from opendensepose.synth.body.body import Body
from opendensepose.synth.body.pose import Posture, sample_family, sample_posture
from opendensepose.synth.drawing.shade import Lighting
from opendensepose.synth.ingredients import Ingredients

__all__ = ["PersonPlan", "sample_person", "sample_lighting", "portrait_camera", "scene_camera", "scene_spots",
           "frame_portrait", "whole_photo", "light_matrix"]  # fmt: skip


@dataclass
class PersonPlan:
    """A person before posing: Anny's phenotypes (11,), a Posture, yaw in radians; traits: the weights of face shapes
    and expressions (FaceShapes), or None."""

    shape: np.ndarray
    posture: Posture
    yaw: float
    traits: np.ndarray | None = None


BABIES = 0.04  # share of people


def sample_shape(body: Body, rng: np.random.Generator, babies: bool = False) -> np.ndarray:
    """Phenotypes in [0, 1] over Anny's range: mostly adults, some children and old people; of `babies`, one in 25."""
    value = {
        "gender": np.clip(rng.choice([0.05, 0.95]) + rng.normal(0, 0.15), 0, 1),
        "age": rng.choice(
            [rng.uniform(0.55, 0.8), rng.uniform(0.25, 0.55), rng.uniform(0.8, 1.0)], p=[0.72, 0.13, 0.15]
        ),
        "muscle": np.clip(rng.normal(0.5, 0.2), 0, 1),
        "weight": np.clip(rng.normal(0.5, 0.22), 0, 1),
        "height": np.clip(rng.normal(0.5, 0.2), 0, 1),
        "proportions": np.clip(rng.normal(0.6, 0.2), 0, 1),
        "cupsize": rng.uniform(0.2, 0.9),
        "firmness": rng.uniform(0.2, 0.9),
    }
    if babies and rng.random() < BABIES:
        value["age"] = rng.uniform(0.0, 0.25)
    origin = rng.dirichlet((0.7, 0.7, 0.7))
    value.update(zip(("african", "asian", "caucasian"), origin, strict=True))
    return np.array([value[name] for name in body.phenotypes], np.float32)


def sample_person(
    body: Body, rng: np.random.Generator, on: Ingredients, frontal: float = 0.5, family: str | None = None
) -> PersonPlan:
    """A random person; `frontal` is the share that more or less faces the camera; family: of the pose, else drawn."""
    shape = np.full(len(body.phenotypes), 0.5, np.float32)
    if on.shapes:
        shape = sample_shape(body, rng, babies=on.more_poses)
    kind = rng.random()
    if kind < frontal:
        yaw = rng.normal(0, np.radians(25))
    elif kind < frontal + 0.22:
        yaw = np.pi + rng.normal(0, np.radians(35))
    else:
        yaw = rng.uniform(-np.pi, np.pi)
    look = 0.0
    if abs(yaw) > np.radians(35) and rng.random() < 0.45:  # turned away, but looking at the camera or towards it
        look = -np.sign(yaw) * min(np.degrees(abs(yaw)), rng.uniform(35, 100))
    posture = Posture(body.rest_pose(1)[0], "rest")
    if on.poses:
        crawls = on.more_poses and shape[body.phenotypes.index("age")] < 0.2 and rng.random() < 0.4
        family = family or ("crawling" if crawls else sample_family(rng, on.more_poses))
        posture = sample_posture(body, rng, family, look, holds=on.props)
    traits = body.faces.sample(rng) if on.faces else None
    return PersonPlan(shape, posture, yaw if on.cameras else 0.0, traits)


def placed(vertices: np.ndarray, yaw: float, spot: np.ndarray, lift_m: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and shift (3,) that turn a body by yaw and put its lowest point at spot (2,), lift_m above the
    floor."""
    c, s = np.cos(yaw), np.sin(yaw)
    rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32)
    middle = vertices.mean(0)
    shift = np.array([spot[0], spot[1], 0.0], np.float32) - rotation @ np.array([middle[0], middle[1], 0], np.float32)
    shift[2] = lift_m - vertices[:, 2].min()
    return rotation, shift.astype(np.float32)


def sample_lighting(
    rng: np.random.Generator, camera_rotation: np.ndarray, on: Ingredients
) -> tuple[Lighting, np.ndarray]:
    """Lights of the picture in camera space, and the key light's direction in the world."""
    if not on.lights:
        key_world = np.array([0.3, -0.8, 0.6])
        grey = np.full(3, 0.55)
        return _lighting(
            camera_rotation, key_world, grey, grey * 0.8, np.full(3, 0.6), np.zeros(3), 2.0, 0.5, on
        ), key_world
    kind = rng.choice(4, p=[0.36, 0.24, 0.25, 0.15])  # studio, overcast, sun, lamp
    tint = np.clip(1 + rng.normal(0, 0.06, 3), 0.7, 1.3)
    azimuth, elevation = rng.uniform(-np.pi, np.pi), np.radians(rng.uniform(12, 80))
    if kind == 0:
        azimuth = -np.pi / 2 + rng.normal(0, 0.8)  # from about the camera's side
        ambient, key, softness, strength = rng.uniform(0.6, 1.0), rng.uniform(0.15, 0.55), rng.uniform(4, 10), 0.5
    elif kind == 1:
        ambient, key, softness, strength = rng.uniform(0.6, 1.0), rng.uniform(0.05, 0.3), rng.uniform(5, 12), 0.4
    elif kind == 2:
        ambient, key, softness, strength = rng.uniform(0.3, 0.6), rng.uniform(0.6, 1.3), rng.uniform(0.6, 2), 0.9
    else:
        ambient, key, softness, strength = rng.uniform(0.15, 0.4), rng.uniform(0.5, 1.1), rng.uniform(1, 5), 0.9
    key_world = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    sky = ambient * np.clip(1 + rng.normal(0, 0.05, 3), 0.8, 1.2)
    ground = sky * rng.uniform(0.35, 0.9) * np.clip(1 + rng.normal(0, 0.05, 3), 0.8, 1.2)
    fill = rng.uniform(0, 0.25) * np.ones(3)
    return _lighting(camera_rotation, key_world, sky, ground, key * tint, fill, softness, strength, on, rng), key_world


def _lighting(rotation, key_world, sky, ground, key, fill, softness, strength, on, rng=None) -> Lighting:
    fill_world = np.array([1.0, 0.0, 0.3]) if rng is None else rng.normal(0, 1, 3)
    unit = lambda v: (rotation @ v) / np.linalg.norm(v)  # noqa: E731
    return Lighting(sky, ground, unit(np.array([0.0, 0, 1.0])), unit(key_world), key, unit(fill_world), fill,
                    softness, strength if on.shadows else 0.0)  # fmt: skip


def portrait_camera(rng: np.random.Generator, on: Ingredients, target: np.ndarray, reach: float) -> Camera:
    """A camera on the -y side that looks at a person; target (3,) is the body's middle, reach its radius in metres."""
    if not on.cameras:
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


_CLOSE_UPS = {  # where photos of upright people end, as shares of the body's height from the top: weight, range
    "head and shoulders": (0.25, (0.19, 0.26)),
    "chest": (0.25, (0.28, 0.38)),
    "hips": (0.35, (0.44, 0.56)),
    "thighs": (0.15, (0.6, 0.72)),
}


def _close_up(rng: np.random.Generator, box: np.ndarray) -> np.ndarray:
    """The photo's frame around the upper part of an upright person's box; sometimes it cuts the hair or a shoulder."""
    size = box[2:] - box[:2]
    weights = np.array([weight for weight, _ in _CLOSE_UPS.values()])
    low, high = list(_CLOSE_UPS.values())[rng.choice(len(weights), p=weights / weights.sum())][1]
    margin = rng.uniform(0, 0.3, 3) * size[1] * np.array([1.0, 0.4, 1.0])
    frame = np.array(
        [box[0] - margin[0], box[1] - margin[1], box[2] + margin[2], box[1] + size[1] * rng.uniform(low, high)]
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
    rng: np.random.Generator, on: Ingredients, camera: Camera, body_points: np.ndarray, size_hw: tuple[int, int]
) -> tuple[Camera, np.ndarray]:
    """The camera that shows a person as a detector's padded, letterboxed box would, and the photo's frame in it.

    camera: with focal length 1 and centre (0, 0). body_points: (N, 3) world points of the person's skin.
    Returns the camera and the frame (x0, y0, x1, y1); outside the frame the crop shows nothing.
    """
    xy = camera.project(body_points)
    xy = xy[np.isfinite(xy).all(1)]
    full = np.concatenate([xy.min(0), xy.max(0)])
    frame = _frame(rng, full, on.more_poses) if on.truncation else full + np.array([-9, -9, 9, 9]) * np.ptp(full)
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
    """The camera that sees a portrait's whole photo: where the frame cuts the person off, there the image ends.

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
    """A camera over the floor at the origin that looks along +y, for whole photos."""
    height, width = size_hw
    position = np.array([0.0, 0.0, rng.uniform(0.5, 1.9) if rng.random() < 0.8 else rng.uniform(1.9, 4.5)])
    pitch = np.radians(rng.normal(-4, 6)) - 0.12 * max(position[2] - 1.6, 0)
    aim = position + np.array([0.0, 1.0, np.tan(pitch)])
    rotation, translation = look_at(position, aim, roll=np.radians(rng.normal(0, 3)))
    focal = max(height, width) * np.exp(rng.uniform(np.log(0.75), np.log(2.2)))
    return Camera(rotation, translation, float(focal), (width / 2, height / 2), size_hw)


def scene_spots(rng: np.random.Generator, camera: Camera, num_people: int) -> np.ndarray:
    """Floor positions (num_people, 2) in view of a scene_camera, 0.4 m or more apart."""
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


def light_matrix(points: torch.Tensor, key_world: np.ndarray, map_size: int) -> np.ndarray:
    """(4, 4): world to the pixels (x, y) of a square shadow map and depth in metres + 1, for light from key_world."""
    forward = -key_world / np.linalg.norm(key_world)
    right = cross(forward, [0.0, 0.0, 1.0])
    right = right / np.linalg.norm(right) if np.linalg.norm(right) > 1e-3 else np.array([1.0, 0.0, 0.0])
    axes = np.stack([right, cross(forward, right), forward])
    # Every fourth point is enough: what sticks out between them falls into the margin of two pixels.
    there = points[::4] @ torch.from_numpy(axes.T.astype(np.float32)).to(points.device)
    low, high = there.amin(0).cpu().numpy(), there.amax(0).cpu().numpy()
    scale = (map_size - 4) / max(high[0] - low[0], high[1] - low[1], 1e-3)
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.array([[scale], [scale], [1.0]])
    matrix[:3, 3] = -low * np.array([scale, scale, 1.0]) + np.array([2, 2, 1.0])
    return matrix
