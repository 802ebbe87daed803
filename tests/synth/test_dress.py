"""Everything worn belongs to the person who wears it, and leaves the body's own triangles first."""

from dataclasses import replace

import numpy as np
import torch

from opendensepose.synth.body.body import load_body
from opendensepose.synth.dress import dressed_mesh
from opendensepose.synth.ingredients import Ingredients


def _dressed(ingredients: Ingredients, seed: int):
    """Two people at rest, two metres apart."""
    body = load_body()
    posed = body.pose(np.full((2, len(body.phenotypes)), 0.5, np.float32), body.rest_pose(2))
    shift = torch.tensor([[[-1.0, 0, 0]], [[1.0, 0, 0]]])
    bodies = (posed.vertices + shift).contiguous()
    triangles = torch.cat([body.triangles, body.triangles + bodies.shape[1]]).contiguous()
    joints = (posed.keypoints + shift).numpy()
    return bodies, triangles, dressed_mesh(np.random.default_rng(seed), bodies, joints, triangles, ingredients, 0)


def test_without_ingredients_the_mesh_is_the_bodies():
    bodies, triangles, dressed = _dressed(Ingredients.none(), 0)
    assert torch.allclose(dressed.mesh.vertices, bodies.reshape(-1, 3), atol=1e-6)
    assert torch.equal(dressed.mesh.triangles, triangles) and dressed.uv is None
    assert (dressed.mesh.table.rows["is_skin"] == 1).all() and len(dressed.mesh.table.rows) == 2


def test_each_triangle_belongs_to_the_person_it_is_near():
    for seed in range(8):
        bodies, triangles, dressed = _dressed(Ingredients(), seed)
        mesh = dressed.mesh
        assert torch.equal(mesh.triangles[: len(triangles)], triangles)
        assert len(dressed.owner) == len(mesh.triangles) == len(mesh.material)
        assert int(mesh.material.min()) >= 0 and int(mesh.material.max()) < len(mesh.table.rows)
        x = mesh.vertices[mesh.triangles.long()].mean(1)[:, 0]
        assert torch.equal(dressed.owner, (x > 0).to(torch.int32))


def test_the_skin_that_is_told_is_that_of_the_whole_body():
    where = load_body().coordinates
    hands, tones = np.flatnonzero(where.is_in("hand")), []
    for seed in range(6):
        bodies, _, dressed = _dressed(replace(Ingredients.version_1(), hats=False), seed)
        assert dressed.skin_rgb.shape == (2, 3)
        for k, told in enumerate(dressed.skin_rgb):
            painted = dressed.mesh.paint[k * bodies.shape[1] + hands].numpy()
            np.testing.assert_allclose(np.median(painted, axis=0), told, rtol=0.15)  # blotches
            tones.append(told.mean())
    assert max(tones) - min(tones) > 0.3
