import numpy as np
import pytest
from PIL import Image

from opendensepose.surface import load_charts, load_surface
from opendensepose.surface.atlas import atlas_xy
from opendensepose.visualize import surface
from opendensepose.visualize.surface import save_surface_pictures


def read(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_the_pictures_and_the_obj(tmp_path, monkeypatch):
    monkeypatch.setattr(surface, "PIXELS_PER_METRE", 130)  # a quarter: drawn sixteen times as fast
    paths = save_surface_pictures(tmp_path / "new")
    assert [path.name for path in paths] == ["charts.png", "uv.png", "atlas.png", "surface.obj"]
    assert read(paths[2]).shape == (1200, 800, 3)
    for path in paths[:2]:
        picture = read(path)
        assert 0.5 < (picture == 255).all(2).mean() < 0.9  # a white ground with four bodies on it
        assert (picture[:, 0] == 255).all() and (picture[:, -1] == 255).all()
    lines = paths[3].read_text().splitlines()
    kinds = [line.split()[0] for line in lines]
    assert kinds.count("v") == len(load_surface().vertices) and kinds.count("f") == len(load_surface().faces)
    assert kinds.count("g") == 24
    texture = np.array([line.split()[1:] for line in lines if line.startswith("vt")], float)
    face = next(line for line in lines if line.startswith("f ")).split()[1:]
    row = np.nonzero(load_charts().face_chart == 1)[0][0]
    want = atlas_xy(np.ones(3, int), *load_charts().face_uv[row].T) / [800, 1200]
    got = texture[[int(corner.split("/")[1]) - 1 for corner in face]] * [1, -1] + [0, 1]
    assert got == pytest.approx(want, abs=1e-5)
