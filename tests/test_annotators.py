"""The verb that measures annotators on rendered people."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.evaluate.test_measure_files import truth_maps, write_truth
from tests.evaluation.people import UVDistances

from opendensepose.annotators import measure_annotators, write_annotator_pictures


@pytest.fixture
def rendered(tmp_path):
    """Annotations by two people, of which the second is always 0.1 too high in U; the truth beside them."""
    path = write_truth(tmp_path / "set", images=2)
    (tmp_path / "set" / "dense").mkdir()
    for image_id in (1, 2):
        i, u, v, person = truth_maps(image_id)
        np.savez(tmp_path / "set" / "dense" / f"{image_id}.npz", I=i, U=u, V=v, instance=person)
    document = json.loads(path.read_text())
    for annotation in document["annotations"]:
        annotation["annotator"] = "Ann" if annotation["id"] % 2 else "Bo Li"
        if annotation["annotator"] == "Bo Li":
            annotation["dp_U"] = [u + 0.1 if u < 0.5 else u - 0.1 for u in annotation["dp_U"]]
    path.write_text(json.dumps(document))
    return path


def test_each_annotator_has_their_own_error(rendered):
    ann, bo = measure_annotators(rendered, rendered.parent, UVDistances())
    assert (ann.annotator, bo.annotator) == ("Ann", "Bo Li") and ann.num_people == bo.num_people == 2
    np.testing.assert_allclose(ann.error_m, 0, atol=1e-5)
    np.testing.assert_allclose(bo.error_m, 0.1, atol=1e-5)
    assert [len(one.error_m) for one in measure_annotators(rendered, rendered.parent / "dense", UVDistances())] == [
        len(one.error_m) for one in (ann, bo)
    ]


def test_pictures_and_numbers_are_written(rendered, tmp_path):
    errors = measure_annotators(rendered, rendered.parent, UVDistances())
    paths = write_annotator_pictures(errors, tmp_path / "out", "24 squares")
    assert sorted(path.name for path in paths) == ["annotators.json", "body.png", "body_2.png", "body_Ann.png"]
    assert sorted((tmp_path / "out").iterdir()) == sorted(paths)
    numbers = json.loads((tmp_path / "out" / "annotators.json").read_text())
    assert numbers["surface"] == "24 squares" and numbers["annotators"]["Bo Li"]["mean_cm"] == pytest.approx(
        10, abs=1e-3
    )
    assert np.asarray(Image.open(tmp_path / "out" / "body.png")).ndim == 3


def test_annotations_that_do_not_say_who_made_them_count_together(rendered):
    document = json.loads(rendered.read_text())
    for annotation in document["annotations"]:
        del annotation["annotator"]
    rendered.write_text(json.dumps(document))
    (one,) = measure_annotators(rendered, rendered.parent, UVDistances())
    assert one.annotator == "unnamed" and one.num_people == 4


def change(rendered, **fields):
    document = json.loads(rendered.read_text())
    document["annotations"][0] |= fields
    rendered.write_text(json.dumps(document))


def test_bad_input_is_one_sentence(rendered, tmp_path):
    with pytest.raises(FileNotFoundError, match="must be a folder .*gone"):
        measure_annotators(rendered, tmp_path / "gone", UVDistances())
    change(rendered, annotator=7)
    with pytest.raises(ValueError, match="annotations.json: annotation 11: annotator must be a name, got 7"):
        measure_annotators(rendered, rendered.parent, UVDistances())
    change(rendered, annotator="Ann", bbox=[290, 190, 60, 60])
    with pytest.raises(ValueError, match="annotations.json: annotation 11: dp_x, dp_y: a point lies outside"):
        measure_annotators(rendered, rendered.parent, UVDistances())
    change(rendered, bbox=[20, 30, 90, 150], dp_V=["x"])
    with pytest.raises(ValueError, match="annotations.json: annotation 11: dp_V"):
        measure_annotators(rendered, rendered.parent, UVDistances())
    change(rendered, dp_V=json.loads(rendered.read_text())["annotations"][0]["dp_U"])
    truth = rendered.parent / "dense" / "1.npz"
    truth.write_bytes(truth.read_bytes()[:300])
    with pytest.raises(ValueError, match="1.npz is damaged"):
        measure_annotators(rendered, rendered.parent, UVDistances())
    truth.unlink()
    with pytest.raises(FileNotFoundError, match="1.npz is not there"):
        measure_annotators(rendered, rendered.parent, UVDistances())


def test_people_whose_points_came_with_proposals_are_measured_apart(rendered):
    document = json.loads(rendered.read_text())
    for annotation in document["annotations"]:
        annotation["annotator"], annotation["proposals"] = "Ann", annotation["id"] % 2 == 0
    rendered.write_text(json.dumps(document))
    without, proposals = measure_annotators(rendered, rendered.parent, UVDistances())
    assert (without.annotator, proposals.annotator) == ("Ann", "Ann +prop.")
    np.testing.assert_allclose(without.error_m, 0, atol=1e-5)
    np.testing.assert_allclose(proposals.error_m, 0.1, atol=1e-5)
