"""Files of a fit: what is in them, whom they leave out, and that nothing is written without a body."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.fit.people import CAMERA, fitter, labelled, placement, vertices_of
from tests.fit.test_body_fit import kept

from opendensepose.data.photos import read_photo
from opendensepose.fit import photos
from opendensepose.fit.photos import fit_photos
from opendensepose.fit.rotations import rotation_matrix


@pytest.fixture
def photo(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "BodyFitter", fitter)
    monkeypatch.setattr(photos, "TEXTURE_SIDE", 64)  # quick to bake
    image = np.random.default_rng(0).integers(0, 255, (*CAMERA.size_hw, 3), dtype=np.uint8)
    path = tmp_path / "one.jpg"
    Image.fromarray(image).save(path)
    return path, image


def test_all_files_of_a_photo(photo, tmp_path):
    path, image = photo
    person = labelled(vertices_of(placement(1)))
    nobody = kept(person, np.zeros(CAMERA.size_hw, bool))
    said = []
    written = fit_photos([(path, image, [nobody, person])], tmp_path / "out", 300.0, lambda *all_: said.append(all_))
    assert [one.name for one in written] == [f"one.fit.{kind}" for kind in ("json", "npz", "glb", "png")]
    assert [number for _, number, _ in said] == [2, 1] and "at least 60 labelled pixels" in said[1][2]
    content = json.loads(written[0].read_text())
    (one,) = content["people"]
    with np.load(written[1]) as arrays:
        assert arrays["vertices"].shape[0] == 1
        assert arrays["focal_px"] == content["camera"]["focal_px"] == 300
        bone = list(arrays["bone_names"]).index("lowerleg01.L")
        assert rotation_matrix(np.array(one["pose"]["lowerleg01.L"])) == pytest.approx(
            arrays["pose"][0, bone, :3, :3], abs=1e-5
        )
        assert dict(zip(arrays["shape_names"], arrays["shape"][0], strict=True)) == pytest.approx(
            one["shape"], abs=1e-4
        )
        assert set(arrays["joint_names"]) == one["confidence"].keys()
    assert read_photo(written[3]).shape[2] == 3
    assert written[2].read_bytes()[:4] == b"glTF"


def test_without_a_body_nothing_is_written(photo, tmp_path):
    path, image = photo
    for people in ([], [kept(labelled(vertices_of(placement(1))), np.zeros(CAMERA.size_hw, bool))]):
        with pytest.raises(ValueError, match="no body was fitted"):
            fit_photos([(path, image, people)], tmp_path / "out")
    assert not (tmp_path / "out").exists()
