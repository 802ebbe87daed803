"""MakeHuman's garments are packed, on a tiny one made here."""

import json

import cv2
import numpy as np
import pytest

from opendensepose.synth.body.face_shape import NUM_BASE_VERTICES
from opendensepose.synth.wardrobe.garment_files import pack_garments

PATH = "package/public/data/proxies/clothes/shoes01/shoes01.json"
TEXTURE = "package/public/data/proxies/clothes/shoes01/textures/shoes01.png"


def shoe(**changes) -> dict[str, bytes]:
    """The files of a shoe of one square, whose picture is red on it and green elsewhere."""
    made = {
        "ref_vIdxs": [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]],
        "weights": [[0.5, 0.25, 0.25]] * 4,
        "offsets": [[1, 2, 3]] * 4,
        "faces": [11, 0, 1, 2, 3, 0, 0, 1, 2, 3],
        "uvs": [[0, 0.5, 0.5, 0.5, 0.5, 1, 0, 1]],
        "materials": [{"mapDiffuse": "textures/shoes01.png"}],
        "metadata": {"deleteVerts": []},
    } | changes
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[..., 1] = 255
    picture[:34, :34] = (0, 0, 255)  # BGR: the upper left, which is v from 0.5 to 1, and a seam allowance
    return {PATH: json.dumps(made).encode(), TEXTURE: cv2.imencode(".png", picture)[1].tobytes()}


def test_offsets_are_packed_in_our_axes():
    packed = pack_garments(shoe())
    assert packed["wardrobe/shoes01/offsets"].tolist() == [[1, -3, 2]] * 4
    assert packed["wardrobe/shoes01/quads"].tolist() == [[0, 1, 2, 3]]


def test_a_texture_continues_beyond_its_faces():
    packed = pack_garments(shoe())
    picture = cv2.imdecode(packed["wardrobe/shoes01/texture/0"], cv2.IMREAD_COLOR)
    assert picture[..., 2].min() > 200 and picture[..., 1].max() < 50  # red all over


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"weights": None}, "is not a garment as MakeHuman writes them"),
        ({"ref_vIdxs": [[0, 1, NUM_BASE_VERTICES]] * 4}, "refers to vertices that are not there"),
        ({"faces": [11, 0, 1, 2, 4, 0, 0, 1, 2, 3]}, "refers to vertices that are not there"),
        ({"materials": [{"mapDiffuse": "textures/other.png"}]}, "is missing; fetch the ingredients again"),
    ],
)
def test_a_bad_garment_is_one_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        pack_garments(shoe(**changes))


def test_a_bad_picture_is_one_sentence():
    with pytest.raises(ValueError, match="not a picture that OpenCV reads"):
        pack_garments(shoe() | {TEXTURE: b"no picture"})
