"""Annotated folders: what is read, and what is said where they are unsound."""

import json
import tarfile

import numpy as np
import pytest
import torch

from opendensepose.data.photos import find_image, photo_folders
from opendensepose.data.tar_samples import write_sample
from opendensepose.surface import CHART_TO_PART
from opendensepose.training.annotated.images import AnnotatedImages, Unreadable, annotation_file, to_targets
from opendensepose.training.annotated.sampler import DistributedBatchSampler, ImageBatches


def change_annotations(folder, change):
    path = folder / "annotations.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_points_say_what_the_truth_says_at_their_pixels(annotated):
    sample = AnnotatedImages(annotated, dense="dense").sample(0)
    assert len(sample.boxes) == 2 and sample.annotated.all() and len(sample.point_i) > 20
    column, row = sample.point_xy.astype(int).T
    np.testing.assert_array_equal(sample.dense.i[row, column], sample.point_i)
    np.testing.assert_allclose(sample.dense.u[row, column], sample.point_u, atol=1e-6)
    np.testing.assert_array_equal(sample.dense.person[row, column], sample.point_person + 1)
    for person, box in enumerate(sample.boxes):  # the grid of parts, read where the points lie in the box
        own = sample.point_person == person
        x, y = ((sample.point_xy[own] - box[:2]) / (box[2:] - box[:2]) * 256).astype(int).T
        np.testing.assert_array_equal(sample.parts[person][y, x], CHART_TO_PART[sample.point_i[own]])


def test_rows_of_dense_labels_follow_the_people_whatever_their_numbers(annotated):
    before = AnnotatedImages(annotated, dense="dense").sample(0)
    change_annotations(annotated, lambda content: content["annotations"].reverse())
    after = AnnotatedImages(annotated, dense="dense").sample(0)
    np.testing.assert_array_equal(before.boxes, after.boxes[::-1])
    np.testing.assert_array_equal(np.choose(before.dense.person, [0, 2, 1]), after.dense.person)


def test_groups_are_ignored_and_people_without_points_are_boxes(annotated):
    def change(content):
        content["annotations"][0]["iscrowd"] = 1
        for name in ("dp_x", "dp_y", "dp_I", "dp_U", "dp_V", "dp_masks"):
            del content["annotations"][1][name]
        extra = dict(content["annotations"][2], id=9, image_id=1)
        content["annotations"].append(extra)

    change_annotations(annotated, change)
    sample = AnnotatedImages(annotated).sample(0)
    assert len(sample.ignored) == 1 and sample.annotated.tolist() == [False, True]
    assert set(sample.point_person) == {1} and not sample.parts[0].any()


def test_tensors_are_what_the_networks_are_told(annotated):
    image, targets = to_targets(AnnotatedImages(annotated, dense="dense")[0, 7])
    assert image.shape == (3, 64, 96) and image.dtype == torch.uint8
    assert targets.boxes.dtype == torch.float32 and targets.parts.dtype == torch.uint8
    assert targets.point_i.dtype == targets.point_person.dtype == torch.int64
    assert targets.point_uv.shape == (len(targets.point_i), 2) and targets.dense.person.max() == 2
    again = to_targets(AnnotatedImages(annotated, dense="dense")[0, 7])[1]
    assert targets.seed == again.seed == targets.to("cpu").seed
    assert targets.seed != to_targets(AnnotatedImages(annotated)[0, 8])[1].seed


def test_bad_folders_are_refused_in_a_sentence(annotated, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no annotation file .*nowhere"):
        annotation_file(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no folder .*dense_targets with dense labels"):
        AnnotatedImages(annotated, dense="dense_targets")
    change_annotations(annotated, lambda content: content["annotations"].clear())
    with pytest.raises(ValueError, match="has no annotated person"):
        AnnotatedImages(annotated)
    (annotated / "annotations.json").write_text('{"images": [')
    with pytest.raises(ValueError, match="annotations.json is not JSON"):
        AnnotatedImages(annotated)


def test_a_malformed_person_is_named(annotated):
    change_annotations(annotated, lambda content: content["annotations"][3].update(dp_U=[2.0]))
    with pytest.raises(ValueError, match="annotation 202: dp_U"):
        AnnotatedImages(annotated)


def test_an_image_that_is_gone_or_broken_becomes_a_sentence(annotated):
    data = AnnotatedImages(annotated)
    (annotated / "images" / "2.png").unlink()
    (annotated / "images" / "3.png").write_bytes(b"no picture")
    gone, broken = data[1, 0], data[2, 0]
    assert isinstance(gone, Unreadable) and "image 2 of" in gone.sentence and "there is no 2.png" in gone.sentence
    assert "3.png is not an image" in broken.sentence


def test_dense_labels_that_are_missing_or_of_another_size_or_range_are_refused(annotated):
    data = AnnotatedImages(annotated, dense="dense")
    wrong = {name: np.zeros((64, 96)) for name in ("U", "instance")}
    np.savez(annotated / "dense" / "3.npz", I=np.ones((64, 96)), V=np.full((64, 96), 1.5), **wrong)
    assert "3.npz: v must lie in [0, 1], got values from 1.5 to 1.5" in data[2, 0].sentence
    (annotated / "dense" / "1.npz").unlink()
    small = np.zeros((4, 4), np.uint8)
    np.savez(annotated / "dense" / "2.npz", I=small, U=small, V=small, instance=small)
    assert "there are no dense labels" in data[0, 0].sentence
    assert "has labels of (4, 4), but the image is (64, 96)" in data[1, 0].sentence


def as_shards(annotated, folder):
    """The data of `annotated` in two .tar files."""
    content = json.loads((annotated / "annotations.json").read_text())
    folder.mkdir()
    for number in (0, 1):
        with tarfile.open(folder / f"{number}.tar", "w") as tar:
            for image in content["images"][number::2]:
                name = find_image(photo_folders(annotated / "annotations.json"), image["file_name"])
                entries = [one for one in content["annotations"] if one["image_id"] == image["id"]]
                files = {
                    "jpg": name.read_bytes(),
                    "json": json.dumps({"image": image, "annotations": entries}).encode(),
                }
                files["npz"] = (annotated / "dense" / f"{image['id']}.npz").read_bytes()
                write_sample(tar, f"{image['id']:06d}", files)
    return folder


def test_shards_give_the_samples_of_the_folder_and_go_on_at_any_step(annotated, tmp_path):
    files = AnnotatedImages(annotated, dense="dense")
    shards = AnnotatedImages(as_shards(annotated, tmp_path / "shards"), dense="dense")
    assert sorted(shards.ids) == sorted(files.ids) and len(shards) > 1
    for number, image_id in enumerate(shards.ids):
        one, other = shards.sample(number), files.sample(files.ids.index(image_id))
        assert one.dense is not None
        for name, value in one._asdict().items():
            np.testing.assert_equal(value, getattr(other, name))

    def batches(first):
        order = DistributedBatchSampler(len(shards), 2, 0, first, 5)
        return [images for images, _ in ImageBatches(shards, order, 0)]

    for whole, resumed in zip(batches(0)[3:], batches(3), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))


def test_shards_that_are_no_data_set_are_one_sentence(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        write_sample(tar, "1", {"jpg": b"", "json": b"[1"})
    with pytest.raises(ValueError, match="the sample 1 must have a json"):
        AnnotatedImages(tmp_path)
