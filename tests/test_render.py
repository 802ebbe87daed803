"""A data set on disk: whole files only, the same pictures however it was made, truth that agrees with itself."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from opendensepose import atomic_write, render
from opendensepose.data import decode_mask
from opendensepose.render import render_dataset
from opendensepose.synth import Ingredients
from opendensepose.synth.truth import PersonTruth


@dataclass
class Rendered:
    image_rgb: np.ndarray
    i: np.ndarray
    u: np.ndarray
    v: np.ndarray
    person: np.ndarray
    keypoints: np.ndarray
    yaws: np.ndarray
    people: list[PersonTruth]


def quick_image(rng, size_hw, framing="scene", num_people=1, ingredients=None):
    """Stands in for `render_image` where the people do not matter: rectangles of random charts."""
    height, width = size_hw
    person = np.zeros(size_hw, np.uint8)
    i = np.zeros(size_hw, np.uint8)
    for number in range(1, num_people + 1):
        top, left = rng.integers(0, height // 2), rng.integers(0, width // 2)
        window = np.s_[top : top + height // 3, left : left + width // 3]
        person[window], i[window] = number, rng.integers(1, 25)
    seen = person > 0
    u, v = (np.where(seen, rng.random(size_hw), 0).astype(np.float32) for _ in range(2))
    image_rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    keypoints = np.concatenate([rng.random((num_people, 17, 2)) * 30, np.full((num_people, 17, 1), 2.0)], axis=2)
    people = [PersonTruth({"age": k / 8}, "walking", np.full(3, 0.5, np.float32)) for k in range(num_people)]
    return Rendered(image_rgb, i, u, v, person, keypoints, np.linspace(-3, 3, num_people), people)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(render, "render_image", quick_image)


def make(out_dir, **changes):
    options = {"count": 4, "seed": 7, "size_hw": (48, 64), "people_range": (0, 3), "show_progress": False}
    return render_dataset(out_dir, **(options | changes))


def contents(out_dir):
    return {str(path.relative_to(out_dir)): path.read_bytes() for path in out_dir.rglob("*") if path.is_file()}


def test_files_of_a_set(tmp_path, quick):
    path = make(tmp_path)
    assert path == tmp_path / "annotations.json"
    whole = json.loads(path.read_text())
    assert [image["id"] for image in whole["images"]] == [1, 2, 3, 4]
    assert len({annotation["id"] for annotation in whole["annotations"]}) == len(whole["annotations"]) > 0
    for image in whole["images"]:
        with Image.open(tmp_path / "images" / image["file_name"]) as picture:
            assert picture.size == (image["width"], image["height"]) == (64, 48)
        with np.load(tmp_path / "dense" / f"{image['id']}.npz") as dense:
            assert {name: (dense[name].dtype.name, dense[name].shape) for name in dense.files} == {
                "I": ("uint8", (48, 64)),
                "U": ("float32", (48, 64)),
                "V": ("float32", (48, 64)),
                "instance": ("uint8", (48, 64)),
            }


def test_annotations_are_those_of_the_dense_maps(tmp_path, quick):
    whole = json.loads(make(tmp_path, count=6).read_text())
    for annotation in whole["annotations"]:
        with np.load(tmp_path / "dense" / f"{annotation['image_id']}.npz") as dense:
            mine = dense["instance"] == annotation["id"] % 100
            np.testing.assert_array_equal(decode_mask(annotation["segmentation"]), mine)
            x0, y0, width, height = annotation["bbox"]
            x = (np.array(annotation["dp_x"]) / 255 * width + x0).astype(int)
            y = (np.array(annotation["dp_y"]) / 255 * height + y0).astype(int)
            assert mine[y, x].all()
            np.testing.assert_array_equal(dense["I"][y, x], annotation["dp_I"])
            np.testing.assert_allclose(dense["U"][y, x], annotation["dp_U"], atol=1e-6)
        about = annotation["synthetic"]
        assert about["phenotypes"] == {"age": (annotation["id"] % 100 - 1) / 8} and about["pose"] == "walking"
        assert about["skin_rgb"] == [0.5] * 3 and -3 <= about["yaw"] <= 3


def test_the_number_of_people_stays_in_its_range(tmp_path, quick):
    make(tmp_path, count=12, people_range=(1, 2))
    whole = json.loads((tmp_path / "annotations.json").read_text())
    numbers = {annotation["id"] % 100 for annotation in whole["annotations"]}
    assert numbers == {1, 2}
    assert {annotation["image_id"] for annotation in whole["annotations"]} == set(range(1, 13))


@pytest.mark.parametrize("when", [1, 4, 8, 12])
def test_an_interruption_leaves_whole_files_and_the_rest_follows(tmp_path, quick, monkeypatch, when):
    make(tmp_path / "whole")
    writes = 0
    replace = atomic_write.os.replace

    def stop_at(part, path):
        nonlocal writes
        writes += 1
        if writes == when:
            raise KeyboardInterrupt
        replace(part, path)

    with monkeypatch.context() as patch:
        patch.setattr(atomic_write.os, "replace", stop_at)
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "cut")
    assert not (tmp_path / "cut" / "annotations.json").exists()
    whole = contents(tmp_path / "whole")
    assert all(whole[name] == content for name, content in contents(tmp_path / "cut").items())
    make(tmp_path / "cut")
    assert contents(tmp_path / "cut") == whole


def test_files_left_half_written_by_a_killed_run_are_swept(tmp_path, quick):
    make(tmp_path / "whole")
    leftover = tmp_path / "cut" / "images" / ".000000000001.jpg.99.part"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    make(tmp_path / "cut")
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_done_pictures_are_not_made_again(tmp_path, quick, monkeypatch):
    make(tmp_path)
    monkeypatch.setattr(render, "render_image", None)
    make(tmp_path)


def test_a_higher_count_adds_pictures(tmp_path, quick):
    make(tmp_path / "grown", count=2)
    make(tmp_path / "grown", count=4)
    make(tmp_path / "whole", count=4)
    assert contents(tmp_path / "grown") == contents(tmp_path / "whole")


def test_other_settings_in_a_begun_set_are_refused(tmp_path, quick):
    make(tmp_path)
    with pytest.raises(ValueError, match="begun with seed 7, now seed 8 was asked for: choose another folder"):
        make(tmp_path, seed=8)
    with pytest.raises(ValueError, match="choose another folder"):
        make(tmp_path, version=1)


def test_version_1_is_rendered_with_what_version_1_had(tmp_path, quick, monkeypatch):
    enabled = []

    def noting(*args, ingredients, **options):
        enabled.append(ingredients)
        return quick_image(*args, **options)

    monkeypatch.setattr(render, "render_image", noting)
    make(tmp_path / "1", count=1, version=1)
    make(tmp_path / "2", count=1)
    assert enabled == [Ingredients.version_1(), Ingredients()]
    settings = json.loads((tmp_path / "1" / "settings.json").read_text())
    assert set(settings) == {"seed", "size_hw", "people_range", "charts"}  # no ingredients


def test_another_seed_gives_other_pictures(tmp_path, quick):
    make(tmp_path / "a", seed=1)
    make(tmp_path / "b", seed=2)
    name = "images/000000000001.jpg"
    assert contents(tmp_path / "a")[name] != contents(tmp_path / "b")[name]


@pytest.mark.parametrize(
    "changes, part",
    [
        ({"count": 0}, "count"),
        ({"version": 3}, "version must be 1 or 2"),
        ({"size_hw": (16, 640)}, "640x16"),
        ({"people_range": (3, 1)}, "3-1"),
        ({"people_range": (0, 7)}, "0-7"),
        ({"workers": 0}, "workers"),
    ],
)
def test_bad_numbers_are_refused_before_a_folder_is_made(tmp_path, changes, part):
    with pytest.raises(ValueError, match=part):
        make(tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_real_people_are_the_same_from_one_process_and_from_two(tmp_path):
    make(tmp_path / "one", count=2, people_range=(1, 2), size_hw=(96, 128), workers=1)
    make(tmp_path / "two", count=2, people_range=(1, 2), size_hw=(96, 128), workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    whole = json.loads((tmp_path / "one" / "annotations.json").read_text())
    assert whole["annotations"]
