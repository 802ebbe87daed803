"""What a picture will show, before anything is posed: who, where, seen by which camera, and what else stands there."""

from dataclasses import dataclass, field

import numpy as np

from opendensepose.camera import Camera
from opendensepose.synth.body.body import Body
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.scene.cameras import scene_camera, scene_spots
from opendensepose.synth.scene.crowd import crowd, neighbours
from opendensepose.synth.scene.person import PersonPlan, sample_person

__all__ = ["PicturePlan", "plan_picture"]


@dataclass
class PicturePlan:
    """A picture before posing."""

    rng: np.random.Generator
    people: list[PersonPlan]
    camera: Camera | None  # None: it is drawn when the first person is posed
    spots: np.ndarray  # (P, 2) of the people on the floor, metres
    framing: str  # "portrait", "photo" (the whole photo of one person) or "scene"
    negative_spots: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))  # (K, 2) of the hard negatives
    background: np.ndarray | None = None  # (H, W, 3) float32 sRGB in [0, 1]; None: it is drawn


def plan_picture(
    body: Body,
    rng: np.random.Generator,
    size_hw: tuple[int, int],
    framing: str,
    num_people: int | None,
    enabled_ingredients: Ingredients,
) -> PicturePlan:
    """Draw a plan; framing and num_people as of render_images()."""
    if framing == "scene":
        return _scene(body, rng, size_hw, num_people, enabled_ingredients)
    return _portrait(body, rng, num_people, enabled_ingredients)


def _scene(
    body: Body,
    rng: np.random.Generator,
    size_hw: tuple[int, int],
    num_people: int | None,
    enabled_ingredients: Ingredients,
) -> PicturePlan:
    count = int(rng.choice(7, p=[0.14, 0.34, 0.2, 0.12, 0.09, 0.06, 0.05])) if num_people is None else num_people
    if count == 1 and rng.random() < 0.6:  # a photo of one person, seen as a whole
        people = [sample_person(body, rng, enabled_ingredients, 0.48)]
        return PicturePlan(rng, people, None, np.zeros((1, 2)), "photo", _beside(rng, enabled_ingredients, 0.1))
    camera = scene_camera(rng, size_hw)
    if enabled_ingredients.crowds and count > 1 and rng.random() < 0.35:
        people, spots = crowd(body, rng, enabled_ingredients, camera, num_people)
    else:
        spots = scene_spots(rng, camera, count)
        people = [sample_person(body, rng, enabled_ingredients, 0.4) for _ in spots]
    negatives = np.zeros((0, 2))
    if enabled_ingredients.hard_negatives and rng.random() < (0.12 if people else 0.75):
        negatives = scene_spots(rng, camera, int(rng.integers(1, 3 if people else 5)))
    return PicturePlan(rng, people, camera, spots, "scene", negatives)


def _portrait(
    body: Body, rng: np.random.Generator, num_people: int | None, enabled_ingredients: Ingredients
) -> PicturePlan:
    count = num_people
    if count is None:
        count = 1 + (int(rng.choice(3, p=[0.7, 0.2, 0.1])) if enabled_ingredients.other_people else 0)
    close = (
        enabled_ingredients.crowds and enabled_ingredients.other_people and num_people is None and rng.random() < 0.22
    )
    people = [
        sample_person(body, rng, enabled_ingredients, 0.48 if k == 0 else 0.4) for k in range(1 if close else count)
    ]
    spots = np.zeros((len(people), 2))
    for k in range(1, len(people)):  # beside, behind, sometimes in front
        spots[k] = (
            rng.choice([-1, 1]) * rng.uniform(0.3, 1.1),
            rng.choice([rng.uniform(0.2, 3), rng.uniform(-0.7, 0)], p=[0.8, 0.2]),
        )
    if close:
        others, places = neighbours(body, rng, enabled_ingredients, people[0])
        people, spots = people + others, np.concatenate([spots, places])
    return PicturePlan(rng, people, None, spots, "portrait", _beside(rng, enabled_ingredients, 0.06))


def _beside(rng: np.random.Generator, enabled_ingredients: Ingredients, share: float) -> np.ndarray:
    """Draw spots (K, 2) of hard negatives beside and behind the person at the origin; share: of pictures with any."""
    if not enabled_ingredients.hard_negatives or rng.random() > share:
        return np.zeros((0, 2))
    count = int(rng.integers(1, 3))
    sides = rng.choice([-1, 1], count) * rng.uniform(0.4, 1.2, count)
    return np.stack([sides, rng.uniform(-0.3, 2.5, count)], 1)
