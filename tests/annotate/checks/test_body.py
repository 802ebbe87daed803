import numpy as np

from opendensepose.annotate.checks.body import at_rest, joint, normals_at_rest, path_to_torso
from opendensepose.annotate.surface.cameras import part_faces
from opendensepose.surface import SurfacePoints, load_surface


def test_every_part_hangs_on_the_torso_by_joints_near_both_parts():
    surface = load_surface()
    for part in range(1, 15):
        path = path_to_torso(part)
        assert path[0] == part and path[-1] == 1 and len(set(path)) == len(path)
        for child, parent in zip(path, path[1:], strict=False):
            for number in (child, parent):
                corners = surface.vertices[surface.faces[part_faces(number)]].reshape(-1, 3)
                assert np.linalg.norm(corners - joint(child, parent), axis=1).min() < 0.12  # metres, of a thigh


def test_places_and_outward_normals_of_the_middle_of_faces():
    surface = load_surface()
    face = np.arange(0, len(surface.faces), 50, dtype=np.int32)
    points = SurfacePoints(face, np.full((len(face), 3), 1 / 3))
    corner = surface.vertices[surface.faces[face]].astype(np.float64)
    np.testing.assert_allclose(at_rest(points), corner.mean(1), atol=1e-6)
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    cosine = (normals_at_rest(points) * normal).sum(1) / np.linalg.norm(normal, axis=1)
    assert np.mean(cosine > 0.8) > 0.95
    np.testing.assert_allclose(np.linalg.norm(normals_at_rest(points), axis=1), 1)
