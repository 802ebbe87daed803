"""The pinhole camera: world points to pixels and back.

World: metres, z up (docs/conventions.md). Camera: x right, y down, z forward. Pixel centres lie at +0.5.
"""

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Camera", "cross", "look_at"]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with square pixels.

    rotation: (3, 3) float32, world to camera. translation: (3,) float32, metres: camera = rotation @ world + it.
    focal_px: focal length in pixels. center_px: (2,) principal point (x, y) in pixels. size_hw: image height and width.
    """

    rotation: np.ndarray
    translation: np.ndarray
    focal_px: float
    center_px: tuple[float, float]
    size_hw: tuple[int, int]

    def __post_init__(self) -> None:
        if np.shape(self.rotation) != (3, 3) or np.shape(self.translation) != (3,):
            raise ValueError(
                "rotation and translation must be (3, 3) and (3,), "
                f"got {np.shape(self.rotation)} and {np.shape(self.translation)}"
            )
        if not self.focal_px > 0:
            raise ValueError(f"focal_px must be above 0, got {self.focal_px}")

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Transform world points (..., 3) to camera coordinates (..., 3), metres."""
        return points @ self.rotation.T + self.translation

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project world points (..., 3) to pixels (..., 2), x right and y down; points behind the camera give nan."""
        camera = self.to_camera(points)
        depth = np.where(camera[..., 2:] > 1e-6, camera[..., 2:], np.nan)
        return camera[..., :2] / depth * self.focal_px + np.asarray(self.center_px, camera.dtype)

    @property
    def position(self) -> np.ndarray:
        """The camera's centre in the world, (3,) metres."""
        return -self.rotation.T @ self.translation

    def cropped(self, box_xyxy: tuple[float, float, float, float], size_hw: tuple[int, int]) -> "Camera":
        """Return the camera whose image is this camera's box, scaled to size_hw; the box must have size_hw's aspect."""
        x0, y0, x1, _ = box_xyxy
        scale = size_hw[1] / (x1 - x0)
        center = ((self.center_px[0] - x0) * scale, (self.center_px[1] - y0) * scale)
        return replace(self, focal_px=self.focal_px * scale, center_px=center, size_hw=(size_hw[0], size_hw[1]))


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute the cross product of two vectors (3,); np.cross takes twenty times as long."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def look_at(position: np.ndarray, target: np.ndarray, roll: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Compute rotation (3, 3) and translation (3,) of a camera at `position` with `target` in its centre.

    position, target: (3,) metres in the world. roll: radians about the viewing axis.
    """
    forward = np.asarray(target, np.float64) - position
    length = np.linalg.norm(forward)
    if length < 1e-9:
        raise ValueError(f"position and target must be different points, got {target} twice")
    forward = forward / length
    up = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 0.999 else np.array([0.0, 1.0, 0.0])
    right = cross(forward, up)
    right /= np.linalg.norm(right)
    down = cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    rotation = np.stack([c * right + s * down, -s * right + c * down, forward])
    return rotation.astype(np.float32), (-rotation @ position).astype(np.float32)
