"""Clips of a moving person, each frame with its truth: somebody walks, turns or waves before a still or moving camera.

Person, clothes and light are those of one seed in all frames; the noise of the sensor is new in each.
"""

from dataclasses import replace

import cv2
import numpy as np

from opendensepose.camera import Camera, look_at
from opendensepose.synth.backgrounds.background import make_background
from opendensepose.synth.body.articulation import Articulation
from opendensepose.synth.body.body import Body, load_body
from opendensepose.synth.body.pose import Posture
from opendensepose.synth.generate import render_plans
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.kinds import Kind, draw_kind
from opendensepose.synth.person_free_photos import TRAINING_PHOTOS, use_photos
from opendensepose.synth.scene.person import PersonPlan, sample_person
from opendensepose.synth.scene.plan import PicturePlan
from opendensepose.synth.truth import RenderedImage

__all__ = ["ACTIONS", "render_clip"]

NOISE = 3.0  # standard deviation of the sensor's noise, of 255
JPEG_QUALITY = 85
FRAMES_AT_ONCE = 8  # posed in one batch
DISTANCE_M = 4.0
AIM_M = np.array([0.0, 0.0, 0.9])  # what the camera looks at: the middle of a standing person
CANVAS = 2  # the background is so many times as wide and high as a frame, for cameras that turn


def _walk(pose: Articulation, time_s: float) -> tuple[float, float]:
    """Two steps in 1.1 s, past the camera; returns the yaw added in radians and the place in metres."""
    swing = np.sin(2 * np.pi * time_s / 1.1)
    for side, sign in (("L", 1), ("R", -1)):
        lifted = max(0.0, sign * np.cos(2 * np.pi * time_s / 1.1))
        pose.leg(side, 20 * sign * swing, 0, 8 + 35 * lifted)
        pose.arm(side, (0.25, 0.35 * sign * swing, -1.0), (0.1, 0.35 * sign * swing - 0.3, -0.95))
    pose.spine(3, 0, 5 * swing)
    return 1.1, 0.8 * time_s - 0.6


def _turn(pose: Articulation, time_s: float) -> tuple[float, float]:
    """A third of a turn each second, arms hanging."""
    _stand(pose)
    return 2 * np.pi / 3 * time_s, 0.0


def _wave(pose: Articulation, time_s: float) -> tuple[float, float]:
    """The left hand waves one and a half times a second, the head nods a little."""
    _stand(pose)
    pose.rotations = {name: one for name, one in pose.rotations.items() if not name.startswith(("clavicle.L", "upper"
                      "arm01.L", "upperarm02.L", "lowerarm01.L"))}  # fmt: skip
    pose.arm("L", (0.75, -0.2, -0.1), (0.25 + 0.5 * np.sin(3 * np.pi * time_s), -0.25, 1.0))
    pose.head(4 * np.sin(np.pi * time_s), 0, 0)
    return 0.0, 0.0


def _stand(pose: Articulation) -> None:
    for side in "LR":
        pose.leg(side, 1, 3, 4)
        pose.arm(side, (0.25, 0.05, -1.0), (0.12, -0.18, -1.0))


ACTIONS = {"walk": Kind(1.0, _walk), "turn": Kind(1.0, _turn), "wave": Kind(1.0, _wave)}


def render_clip(
    seed: int,
    size_hw: tuple[int, int],
    num_frames: int,
    action: str | None = None,
    camera_moves: bool = False,
    fps: float = 25.0,
    device: str = "cpu",
) -> list[RenderedImage]:
    """Render the frames of a clip of one person. action: a key of ACTIONS, None draws one. camera_moves: held in a hand
    and turned along, before a background far away; False: on a tripod. ValueError for an unknown action."""
    rng = np.random.default_rng((11, seed))
    action = draw_kind(rng, ACTIONS, action, "action")
    enabled = replace(Ingredients(), sensor=False, occluders=False, props=False, panoramas=False, loose_garments=False)
    body = load_body(device)
    person = sample_person(body, rng, replace(enabled, more_poses=False), family="standing")
    yaw, sway = rng.normal(0, 0.5), rng.uniform(0, 2 * np.pi, 3)
    frames = []
    with use_photos(TRAINING_PHOTOS):
        canvas = make_background(rng, (CANVAS * size_hw[0], CANVAS * size_hw[1]), pool_seed=seed).numpy()
        tripod = _camera(size_hw, np.zeros(3))
        for start in range(0, num_frames, FRAMES_AT_ONCE):
            plans = []
            for k in range(start, min(start + FRAMES_AT_ONCE, num_frames)):
                time_s = k / fps
                shake = np.sin(2 * np.pi * np.array([0.45, 0.6, 0.35]) * time_s + sway) * [0.06, 0.035, 0.02]
                camera = _camera(size_hw, shake if camera_moves else np.zeros(3))
                plan = _plan(body, seed, person, yaw, action, time_s)
                plan.camera, plan.background = camera, _seen_background(canvas, tripod, camera)
                plans.append(plan)
            frames += render_plans(body, plans, size_hw, enabled, device, pool_seed=seed)
    return [replace(frame, image_rgb=_sensed(rng, frame.image_rgb)) for frame in frames]


def _plan(body: Body, seed: int, person: PersonPlan, yaw: float, action: str, time_s: float) -> PicturePlan:
    pose = Articulation(body)
    turn, x_m = ACTIONS[action].make(pose, time_s)
    posture = Posture(pose.matrices(), "standing")
    moved = replace(person, posture=posture, yaw=yaw + turn)
    same_clothes = np.random.default_rng((12, seed))  # in each frame anew
    return PicturePlan(same_clothes, [moved], None, np.array([[x_m, 0.0]]), "scene")


def _camera(size_hw: tuple[int, int], shake: np.ndarray) -> Camera:
    """A camera that a person of 1.8 m fills seven tenths of; shake: radians sideways, upwards and about its axis."""
    position = np.array([0.0, -DISTANCE_M, 1.3])
    aim = AIM_M + DISTANCE_M * np.array([np.tan(shake[0]), 0.0, np.tan(shake[1])])
    rotation, translation = look_at(position, aim, roll=float(shake[2]))
    focal_px = 0.7 * size_hw[0] * DISTANCE_M / 1.8
    return Camera(rotation, translation, focal_px, (size_hw[1] / 2, size_hw[0] / 2), size_hw)


def _seen_background(canvas: np.ndarray, tripod: Camera, camera: Camera) -> np.ndarray:
    """What a camera sees of a far canvas (H, W, 3) whose middle the tripod's camera shows: (h, w, 3)."""
    height, width = camera.size_hw
    middle = np.array([(canvas.shape[1] - width) / 2, (canvas.shape[0] - height) / 2])
    to_pixels = [
        np.array([[one.focal_px, 0, one.center_px[0]], [0, one.focal_px, one.center_px[1]], [0, 0, 1]])
        for one in (tripod, camera)
    ]
    shift = np.array([[1, 0, middle[0]], [0, 1, middle[1]], [0, 0, 1]])
    to_canvas = shift @ to_pixels[0] @ tripod.rotation @ camera.rotation.T @ np.linalg.inv(to_pixels[1])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(canvas, to_canvas, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.clip(seen, 0, 1).astype(np.float32)


def _sensed(rng: np.random.Generator, image_rgb: np.ndarray) -> np.ndarray:
    noisy = np.clip(image_rgb + rng.normal(0, NOISE, image_rgb.shape), 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return cv2.cvtColor(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
