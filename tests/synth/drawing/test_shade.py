"""Shading: what light does to a plane, by hand."""

import numpy as np
import pytest
import torch

from opendensepose.camera import Camera
from opendensepose.synth.drawing.mesh import Mesh
from opendensepose.synth.drawing.rasterize import rasterize
from opendensepose.synth.drawing.shade import SHADOW_SIZE, Lighting, ShadowMap, shade
from opendensepose.synth.textures.atlas import UvMapping, pack_textures
from opendensepose.synth.textures.material_table import CHANNEL_ORDERS, MaterialTable, material_rows
from opendensepose.synth.textures.patterns import TEXTURE_SIZE

BLACK = np.zeros(3)
SIZE = (16, 16)


def _lighting(**changes):
    parts = dict(sky=BLACK, ground=BLACK, up=np.array([0.0, -1, 0]), key=np.array([0.0, 0, -1]), key_colour=BLACK,
                 fill=np.array([0.0, 0, -1]), fill_colour=BLACK, shadow_softness=1.0, shadow_strength=1.0)  # fmt: skip
    return Lighting(**(parts | changes))


def _plane(lighting, colour=(0.5, 0.5, 0.5), shadow_depth=torch.inf, texture=None, uv=None, **fields):
    """A plane at z = 2 that fills the picture and faces the camera; fields: of its MaterialRow."""
    camera = Camera(np.eye(3), np.zeros(3), 16.0, (8.0, 8.0), SIZE)
    points = torch.tensor([[-9.0, -9, 2], [9, -9, 2], [-9, 9, 2], [9, 9, 2]])
    screen = torch.cat([points[:, :2] / 2 * 16 + 8, points[:, 2:]], 1)
    rows = material_rows(1)
    for name, value in ({"colour": colour, "scale": 1 / 18, "texture": -1 if texture is None else 1} | fields).items():
        rows[name] = value
    textures = torch.full((1, TEXTURE_SIZE, TEXTURE_SIZE, 4), 255, dtype=torch.uint8)
    textures = textures if texture is None else torch.stack([textures[0], texture])
    mesh = Mesh(
        vertices=points,
        triangles=torch.tensor([[0, 2, 1], [1, 2, 3]], dtype=torch.int32),
        cloth=points,
        facing=torch.tensor([[0.0, -1, 0]]).repeat(4, 1),
        paint=torch.ones(4, 3),
        material=torch.zeros(2, dtype=torch.int32),
        table=MaterialTable(rows, textures, torch.zeros(1, 1, 1, 4, dtype=torch.uint8)),
    )
    normals = torch.tensor([[0.0, 0, -1]]).repeat(4, 1)
    depth = torch.full((SHADOW_SIZE, SHADOW_SIZE), float(shadow_depth))
    shadow = ShadowMap(depth, torch.tensor([[100.0, 100, 2]]).repeat(4, 1))
    seen = rasterize(screen, mesh.triangles, SIZE)
    return shade(seen, mesh, normals, shadow, lighting, camera, torch.zeros(*SIZE, 3), uv=uv)


def test_no_light_is_black_and_full_ambient_light_shows_the_colour_itself():
    assert _plane(_lighting()).max() < 1e-6
    ambient = _plane(_lighting(sky=np.ones(3), ground=np.ones(3)), colour=(0.2, 0.5, 0.8))
    assert torch.allclose(ambient, torch.tensor([0.2, 0.5, 0.8]).expand_as(ambient), atol=1e-3)


def test_lambert_s_cosine_in_linear_light():
    tilted = np.array([np.sin(1.0), 0, -np.cos(1.0)])
    straight, slanted = (_plane(_lighting(key_colour=np.ones(3), key=key)) for key in (np.array([0.0, 0, -1]), tilted))
    assert torch.allclose((slanted / straight) ** 2, torch.tensor(np.cos(1.0)).float().expand_as(slanted), atol=2e-3)


def test_what_lies_behind_something_in_the_light_gets_only_the_rest_of_it():
    key = _lighting(key_colour=np.ones(3))
    assert _plane(key, shadow_depth=1.0).max() < 1e-6
    assert torch.equal(_plane(key, shadow_depth=1.99), _plane(key))  # its own depth casts no shadow on it
    half = _lighting(key_colour=np.ones(3), shadow_strength=0.5)
    assert torch.allclose((_plane(half, shadow_depth=1.0) / _plane(key)) ** 2, torch.tensor(0.5), atol=1e-3)


AMBIENT = _lighting(sky=np.ones(3), ground=np.ones(3))


def test_a_texture_multiplies_the_colour():
    texture = torch.full((TEXTURE_SIZE, TEXTURE_SIZE, 4), 255, dtype=torch.uint8)
    texture[..., 1] = 102  # 0.4
    picture = _plane(AMBIENT, colour=(0.6, 0.6, 0.6), texture=texture)
    assert torch.allclose(picture, torch.tensor([0.6, 0.24, 0.6]).expand_as(picture), atol=1e-3)


@pytest.mark.parametrize("order", range(6))
def test_a_texture_s_channels_come_in_the_order_asked_for(order):
    texture = torch.tensor([51, 102, 153, 255], dtype=torch.uint8).repeat(TEXTURE_SIZE, TEXTURE_SIZE, 1)
    picture = _plane(AMBIENT, colour=(1.0, 1.0, 1.0), texture=texture, channel_order=order)
    expected = torch.tensor([0.2, 0.4, 0.6])[list(CHANNEL_ORDERS[order])]
    assert torch.allclose(picture, expected.expand_as(picture), atol=1e-3)


def test_a_texture_is_shifted_and_mirrored():
    texture = torch.full((TEXTURE_SIZE, TEXTURE_SIZE, 4), 255, dtype=torch.uint8)
    texture[:, : TEXTURE_SIZE // 2] = 0  # dark where u < 0.5; one tile spans 18 m here, the picture 2 m
    white = (1.0, 1.0, 1.0)
    right = _plane(AMBIENT, colour=white, texture=texture)[:, 9:-1]
    assert right.max() < 1e-6
    assert _plane(AMBIENT, colour=white, texture=texture, shift=(0.5, 0))[:, 9:-1].min() > 0.99
    assert _plane(AMBIENT, colour=white, texture=texture, sign=(-1, 1))[:, 9:-1].min() > 0.99


def _uv_plane(texel, colour=(0.5, 0.5, 0.5), mean_luminance=0.0):
    """The ambient plane with a UV texture of one colour, texel: RGB in [0, 255]."""
    picture = np.full((8, 8, 4), (*texel, 255), np.uint8)
    uv = UvMapping(pack_textures([picture], "cpu"), torch.rand(2, 3, 2), 0, 0, 0, torch.zeros(0, dtype=torch.int32))
    return _plane(AMBIENT, colour=colour, uv=uv, uv_row=0, mean_luminance=mean_luminance, side_m=1.0)[0, 0]


def test_a_uv_texture_multiplies_the_colour():
    assert torch.allclose(_uv_plane((51, 102, 255)), torch.tensor([0.1, 0.2, 0.5]), atol=1e-3)


def test_a_recoloured_texture_keeps_the_order_of_its_luminances_and_the_new_hue():
    dark, middle, light = (_uv_plane((v, v // 2, v), (0.4, 0.2, 0.1), mean_luminance=0.3) for v in (40, 80, 160))
    assert (dark < middle).all() and (middle < light).all()
    for seen in (dark, middle, light):
        assert torch.allclose(seen / seen[0], torch.tensor([1.0, 0.5, 0.25]), atol=5e-3)


def test_a_recoloured_texture_of_mean_luminance_shows_the_new_colour():
    seen = _uv_plane((102, 102, 102), (0.4, 0.2, 0.1), mean_luminance=0.4)
    assert torch.allclose(seen, torch.tensor([0.4, 0.2, 0.1]), atol=2e-3)
