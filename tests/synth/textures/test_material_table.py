"""Materials are written into the rows that the shading kernel reads."""

import numpy as np
import pytest

from opendensepose.synth.textures.material_table import Decal, Material, material_table
from opendensepose.synth.textures.patterns import TEXTURE_SIZE

COLOUR = np.array([0.2, 0.4, 0.6])


def _table(*materials: Material):
    return material_table(np.random.default_rng(0), materials, 0, "cpu")


def test_a_plain_material_is_its_own_row():
    row = _table(Material(COLOUR, scale=2.0, angle=0.5, specular=0.3, fold=0.1)).rows[0]
    assert row["colour"].tolist() == pytest.approx(COLOUR)
    assert [row[name] for name in ("scale", "angle", "specular", "fold")] == pytest.approx([2.0, 0.5, 0.3, 0.1])
    assert [row[name] for name in ("texture", "decal", "uv_row", "is_skin")] == [-1, -1, -1, 0]


def test_textures_exist_and_only_skin_is_painted():
    table = _table(*(Material(COLOUR, texture=name) for name in ("none", "fabric", "hair", "skin")))
    assert table.textures.shape[1:] == (TEXTURE_SIZE, TEXTURE_SIZE, 4)
    assert table.rows["is_skin"].tolist() == [0, 0, 0, 1]
    index = table.rows["texture"]
    assert index[0] == index[3] == -1 and 0 < index[2] < index[1] < len(table.textures)
    assert (np.abs(table.rows["sign"]) == 1).all()


def test_every_decal_has_its_own_print():
    decal = Decal(0.01, 0.3, 0.1, 0.05)
    table = _table(Material(COLOUR, decal=decal), Material(COLOUR), Material(COLOUR, decal=decal))
    assert table.rows["decal"].tolist() == [0, -1, 1] and len(table.prints) == 2
    assert table.rows["decal_center"][0].tolist() == pytest.approx([0.01, 0.3])
    assert table.rows["decal_half"][2].tolist() == pytest.approx([0.1, 0.05])
