"""A person of a picture before posing: body shape, posture and yaw, drawn from one rng; and the place on the floor."""

from dataclasses import dataclass

import numpy as np

from opendensepose.synth.body.body import Body
from opendensepose.synth.body.pose import Posture, sample_family, sample_posture
from opendensepose.synth.drawing.vertices import rotation_about_z
from opendensepose.synth.ingredients import Ingredients

__all__ = ["PersonPlan", "phenotypes_of", "placed", "sample_person", "sample_shape"]


@dataclass
class PersonPlan:
    """A person before posing."""

    shape: np.ndarray  # (11,) float32, Anny's phenotypes
    posture: Posture
    yaw: float  # radians, 0 faces the camera
    traits: np.ndarray | None = None  # weights of face shapes and expressions (FaceShapes)


BABIES = 0.04  # share of people


def sample_shape(body: Body, rng: np.random.Generator, babies: bool = False) -> np.ndarray:
    """Draw phenotypes (11,) in [0, 1]: mostly adults, some children and old people; with babies one in 25 is one."""
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


def phenotypes_of(body: Body, shape: np.ndarray) -> dict[str, float]:
    """Name the phenotypes of a shape (11,)."""
    return dict(zip(body.phenotypes, shape.tolist(), strict=True))


def sample_person(
    body: Body,
    rng: np.random.Generator,
    enabled_ingredients: Ingredients,
    frontal: float = 0.5,
    family: str | None = None,
) -> PersonPlan:
    """Draw a person; frontal: the share that about faces the camera; family: of the pose, None draws one."""
    shape = np.full(len(body.phenotypes), 0.5, np.float32)
    if enabled_ingredients.shapes:
        shape = sample_shape(body, rng, babies=enabled_ingredients.more_poses)
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
    if enabled_ingredients.poses:
        crawls = enabled_ingredients.more_poses and shape[body.phenotypes.index("age")] < 0.2 and rng.random() < 0.4
        family = family or ("crawling" if crawls else sample_family(rng, enabled_ingredients.more_poses))
        posture = sample_posture(body, rng, family, look, holds=enabled_ingredients.props)
    traits = body.faces.sample(rng) if enabled_ingredients.faces else None
    return PersonPlan(shape, posture, yaw if enabled_ingredients.cameras else 0.0, traits)


def placed(vertices: np.ndarray, yaw: float, spot: np.ndarray, lift_m: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Compute the rotation (3, 3) and shift (3,) that place a body with vertices (V, 3) on the floor.

    yaw: radians. spot: (2,) metres on the floor. lift_m: height of the lowest point above the floor.
    """
    rotation = rotation_about_z(yaw).astype(np.float32)
    middle = vertices.mean(0)
    shift = np.array([spot[0], spot[1], 0.0], np.float32) - rotation @ np.array([middle[0], middle[1], 0], np.float32)
    shift[2] = lift_m - vertices[:, 2].min()
    return rotation, shift.astype(np.float32)
