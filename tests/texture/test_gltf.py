"""The body as glTF: cut at the charts' borders, in glTF's axes, and without complaint of the Khronos validator.

The validator runs where node finds it: `npm install --no-save gltf-validator` in the repository, or NODE_PATH.
"""

import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from opendensepose.surface import load_charts, load_surface
from opendensepose.surface.atlas import map_layout
from opendensepose.texture import Texture
from opendensepose.texture.gltf import body_glb, body_mesh, to_gltf_axes, vertex_normals

ROOT = Path(__file__).parents[2]
VALIDATE = """
const validator = require("gltf-validator");
validator.validateBytes(new Uint8Array(require("fs").readFileSync(process.argv[1])))
  .then((report) => console.log(JSON.stringify(report)));
"""


@pytest.fixture(scope="module")
def glb():
    side = 64
    colour = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    layout = map_layout(side)
    return body_glb(Texture(colour, np.zeros((side, side), np.uint8), layout))


def test_each_corner_keeps_its_place_in_the_texture():
    surface, charts, layout = load_surface(), load_charts(), map_layout(1024)
    mesh = body_mesh(surface, charts, layout)
    assert (mesh.vertex[mesh.faces] == surface.faces).all()
    xy = layout.xy(charts.face_chart[:, None], charts.face_uv[:, :, 0], charts.face_uv[:, :, 1])
    assert 1024 * mesh.texture_xy[mesh.faces] == pytest.approx(xy, abs=1e-3)
    assert len(surface.vertices) < len(mesh.vertex) < 1.2 * len(surface.vertices)


def test_axes_and_normals():
    """Front (-y) becomes +z, up (z) becomes +y; normals point outwards: the body's volume is positive."""
    assert to_gltf_axes(np.array([[1, 0, 0], [0, -1, 0], [0, 0, 1]])).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    surface = load_surface()
    normals = vertex_normals(surface)
    used = np.unique(surface.faces)
    assert np.linalg.norm(normals[used], axis=1) == pytest.approx(1)
    p = surface.vertices[surface.faces].astype(float)
    area = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
    middle = p.mean(1)
    assert (area * (middle * normals[surface.faces].mean(1)).sum(1)).sum() > 0.1


def test_the_file_has_the_body_and_the_picture(glb):
    magic, version, length = struct.unpack_from("<4sII", glb)
    assert (magic, version, length) == (b"glTF", 2, len(glb))
    size = struct.unpack_from("<I", glb, 12)[0]
    content = json.loads(glb[20 : 20 + size])
    (primitive,) = content["meshes"][0]["primitives"]
    assert {"POSITION", "NORMAL", "TEXCOORD_0"} <= primitive["attributes"].keys()
    box = content["accessors"][primitive["attributes"]["POSITION"]]
    want = to_gltf_axes(load_surface().vertices)
    assert np.float32(box["max"]) == pytest.approx(want.max(0), abs=1e-6)
    assert content["images"][0]["mimeType"] == "image/png"
    (material,) = content["materials"]
    assert material["pbrMetallicRoughness"]["metallicFactor"] == 0


def test_the_khronos_validator_finds_nothing_wrong(glb, tmp_path):
    report = khronos_report(glb, tmp_path)
    assert (report["issues"]["numErrors"], report["issues"]["numWarnings"]) == (0, 0), report["issues"]["messages"]
    assert report["info"]["totalTriangleCount"] == len(load_surface().faces)


def khronos_report(glb: bytes, tmp_path: Path) -> dict:
    """What the validator says of a binary glTF file; the test is skipped if there is none."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    (tmp_path / "body.glb").write_bytes(glb)
    done = subprocess.run([node, "-e", VALIDATE, str(tmp_path / "body.glb")], cwd=ROOT, capture_output=True, text=True)
    if "Cannot find module 'gltf-validator'" in done.stderr:
        pytest.skip("node has no gltf-validator: npm install --no-save gltf-validator")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
