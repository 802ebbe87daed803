"""People close together: pairs arm in arm or embracing, rows and groups that hide each other, bystanders."""

from dataclasses import replace

import numpy as np

from opendensepose.camera import Camera
from opendensepose.synth.body.body import Body
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.scene.person import PersonPlan, sample_person

__all__ = ["crowd", "neighbours"]

_UPRIGHT = ("standing", "crossed_arms", "walking", "arms_up", "pockets", "hands_together", "looking_at_phone", "rest",
            "arm_around_left", "arm_around_right")  # fmt: skip
MANY = (7, 12)  # people, seen small, in the largest crowds


def _facing(yaw: float) -> np.ndarray:
    """The direction (2,) on the floor that a person of this yaw faces."""
    return np.array([np.sin(yaw), -np.cos(yaw)])


def _partner(
    body: Body, rng: np.random.Generator, enabled_ingredients: Ingredients, first: PersonPlan
) -> tuple[PersonPlan, np.ndarray]:
    """Draw someone close to the first person, and their place (2,) relative to the first."""
    yaw, kind = first.yaw, rng.choice(4, p=[0.34, 0.3, 0.16, 0.2])
    kind = kind if first.posture.family in _UPRIGHT else 3
    side = rng.choice([-1, 1])  # +1: on the first person's left
    left = np.array([np.cos(yaw), np.sin(yaw)])
    if kind == 0:  # an arm around the other
        person = sample_person(
            body, rng, enabled_ingredients, family="arm_around_right" if side > 0 else "arm_around_left"
        )
        return replace(person, yaw=yaw + rng.normal(0, 0.15)), side * left * rng.uniform(0.3, 0.42)
    if kind == 1:  # shoulder to shoulder, one half behind the other
        person = sample_person(body, rng, enabled_ingredients)
        behind = -_facing(yaw) * rng.uniform(-0.3, 0.3)
        return replace(person, yaw=yaw + rng.normal(0, 0.3)), side * left * rng.uniform(0.25, 0.45) + behind
    if kind == 2:  # embracing
        person = sample_person(body, rng, enabled_ingredients, family="hugging")
        return replace(person, yaw=yaw + np.pi + rng.normal(0, 0.2)), _facing(yaw) * rng.uniform(0.24, 0.36)
    person, sign = sample_person(body, rng, enabled_ingredients), rng.choice([-1, 1])  # one behind the other
    return replace(person, yaw=yaw + rng.normal(0, 0.4)), sign * _facing(yaw) * rng.uniform(0.35, 0.9)


def _center(rng: np.random.Generator, camera: Camera, nearest: float, farthest: float) -> np.ndarray:
    """Draw a place (2,) on the floor at which a chest is well inside the picture.

    nearest, farthest: multiples of the distance at which a person fills the picture's height.
    """
    height, width = camera.size_hw
    for _ in range(12):
        distance = camera.focal_px * 1.7 / height * rng.uniform(nearest, farthest)
        place = np.array([rng.uniform(-0.3, 0.3) * width / camera.focal_px * distance, distance])
        x, y = camera.project(np.array([*place, 1.1]))
        if 0.15 * width < x < 0.85 * width and 0.25 * height < y < 0.75 * height:
            break
    return place


def crowd(
    body: Body, rng: np.random.Generator, enabled_ingredients: Ingredients, camera: Camera, size: int | None = None
) -> tuple[list[PersonPlan], np.ndarray]:
    """Draw people of a scene and their places (P, 2) on the floor in view of a scene_camera; size: None draws it."""
    many = size is None and rng.random() < 0.1
    if size is None:
        size = int(rng.integers(MANY[0], MANY[1] + 1)) if many else int(rng.choice([2, 3, 4, 5, 6], p=_GROUPS))
    center = _center(rng, camera, *((1.8, 3.5) if many else (0.9, 2.2)))
    common = rng.normal(0, 0.4) if rng.random() < 0.6 else rng.uniform(-np.pi, np.pi)
    people: list[PersonPlan] = []
    spots: list[np.ndarray] = []
    in_row = max(2, int(np.ceil(size / (3 if many else 2))))
    while len(people) < size:
        person = sample_person(body, rng, enabled_ingredients)
        if rng.random() < 0.7:
            person = replace(person, yaw=common + rng.normal(0, 0.35))
        row, place = divmod(len(people), in_row)
        spot = center + [(place - (in_row - 1) / 2) * rng.uniform(0.4, 0.65), row * rng.uniform(0.45, 0.9)]
        spot = spot + rng.normal(0, 0.3 if many else 0.08, 2) * [1.0, 1.5]
        people.append(person)
        spots.append(spot)
        if len(people) < size and rng.random() < 0.35:
            other, shift = _partner(body, rng, enabled_ingredients, person)
            people.append(other)
            spots.append(spot + shift)
    return people, np.array(spots).reshape(-1, 2)


_GROUPS = [0.4, 0.24, 0.16, 0.12, 0.08]


def neighbours(
    body: Body, rng: np.random.Generator, enabled_ingredients: Ingredients, first: PersonPlan
) -> tuple[list[PersonPlan], np.ndarray]:
    """Draw one to three people around the first of a portrait, and their places (P, 2), the first at the origin."""
    people, spots = [], []
    for k in range(int(rng.choice([1, 2, 3], p=[0.6, 0.28, 0.12]))):
        if k == 0 and rng.random() < 0.55:
            person, spot = _partner(body, rng, enabled_ingredients, first)
        else:
            person = sample_person(body, rng, enabled_ingredients, 0.4)
            depth = rng.choice([rng.uniform(0.2, 1.5), rng.uniform(-0.7, -0.2)], p=[0.6, 0.4])
            spot = np.array([rng.choice([-1, 1]) * rng.uniform(0.2, 0.75), depth])
        people.append(person)
        spots.append(spot)
    return people, np.array(spots)
