"""Crowds stand close together and in view."""

import numpy as np

from opendensepose.synth.body.body import load_body
from opendensepose.synth.generate import render_images
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.scene.cameras import scene_camera
from opendensepose.synth.scene.crowd import MANY, crowd, neighbours
from opendensepose.synth.scene.person import sample_person

SIZE = (128, 160)


def test_a_crowd_has_as_many_places_as_people_and_the_size_asked_for():
    body = load_body()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        size = int(rng.integers(2, 9))
        people, spots = crowd(body, rng, Ingredients(), scene_camera(rng, SIZE), size)
        assert len(people) == size and spots.shape == (size, 2)
        nearest = np.linalg.norm(spots[:, None] - spots, axis=-1) + 9 * np.eye(size)
        assert nearest.min(1).max() < 2.0  # nobody stands apart


def test_drawn_crowds_are_sometimes_large():
    body, sizes = load_body(), []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sizes.append(len(crowd(body, rng, Ingredients.version_1(), scene_camera(rng, SIZE))[0]))
    assert min(sizes) == 2 and MANY[0] <= max(sizes) <= MANY[1]


def test_most_crowds_are_in_view():
    body, seen = load_body(), []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        camera = scene_camera(rng, SIZE)
        _, spots = crowd(body, rng, Ingredients.version_1(), camera, 3)
        x, y = camera.project(np.array([*spots.mean(0), 1.1]))
        seen.append(0 < x < SIZE[1] and 0 < y < SIZE[0])
    assert np.mean(seen) > 0.7


def test_neighbours_of_a_portrait_are_near_enough_to_overlap():
    body = load_body()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        enabled = Ingredients.version_1()
        people, spots = neighbours(body, rng, enabled, sample_person(body, rng, enabled))
        assert 1 <= len(people) <= 3 and spots.shape == (len(people), 2)
        assert (np.linalg.norm(spots, axis=1) < 1.8).all()


def test_people_of_a_crowd_are_labelled_each_on_their_own():
    pictures = render_images(np.random.default_rng(4).spawn(6), SIZE, num_people=4)
    for picture in pictures:
        assert picture.boxes_xyxy.shape == (4, 4) and picture.person.max() <= 4
