"""From EXR files to the arrays that the renderer takes, on panoramas made here."""

import cv2
import numpy as np
import OpenEXR
import pytest

from opendensepose.synth.drawing.spherical_harmonics import Irradiance, cosine_convolved, directions
from opendensepose.synth.wardrobe import panorama_files
from opendensepose.synth.wardrobe.panorama_files import decode_radiance, pack_panoramas

SIZE = (64, 128)


@pytest.fixture
def exr(tmp_path):
    """A function from radiance (H, W, 3) to the content of an EXR file."""

    def content(radiance: np.ndarray) -> bytes:
        path = tmp_path / "made.exr"
        channels = {"RGB": np.ascontiguousarray(radiance, np.float32)}
        with OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION}, channels) as file:
            file.write(str(path))
        return path.read_bytes()

    return content


def background(arrays, k: int) -> np.ndarray:
    """(H, W, 3) radiance of the k-th panorama's background."""
    name = arrays["panoramas/names"][k]
    image = cv2.imdecode(arrays[f"panoramas/images/{name}"], cv2.IMREAD_COLOR)[..., ::-1]
    return decode_radiance(image, float(arrays["panoramas/unit"][k]))


def test_light_and_background_are_the_panoramas(exr):
    grey = np.full((*SIZE, 3), 0.5)
    blue = np.ones((*SIZE, 3)) * [0.2, 0.4, 0.8] * (1 + 0.5 * directions(SIZE)[..., 2:])
    arrays = pack_panoramas({"studiolights/world/grey.exr": exr(grey), "blue.exr": exr(blue)})
    assert list(arrays["panoramas/names"]) == ["grey", "blue"]
    assert {name for name in arrays if not name.startswith("panoramas/")} == set()
    for k, radiance in enumerate((grey, blue)):
        assert np.allclose(background(arrays, k), radiance, rtol=0.15)
        coefficients = arrays["panoramas/coefficients"][k].astype(float)
        irradiance = Irradiance.from_coefficients(cosine_convolved(coefficients))
        key, towards = arrays["panoramas/key_irradiance"][k], arrays["panoramas/key_direction"][k]
        up = np.array([0.0, 0.0, 1.0])
        cosine = directions(SIZE)[..., 2:].clip(0) * np.cos(np.pi * (0.5 - (np.arange(64) + 0.5) / 64))[:, None, None]
        by_hand = (radiance * cosine).sum((0, 1)) * np.pi / 64 * 2 * np.pi / 128
        # A key light seen through harmonics is a cosine of order 2: at most a twentieth of it is lost.
        assert np.allclose(irradiance.at(up) + key * max(towards @ up, 0), by_hand, rtol=0.05)


def test_people_are_painted_over(exr, monkeypatch):
    radiance = np.full((*SIZE, 3), 0.5)
    radiance[30:40, 20:24] = 0.01
    monkeypatch.setattr(panorama_files, "PEOPLE", {"square": [(18, 28, 26, 42)]})
    arrays = pack_panoramas({"square.exr": exr(radiance), "other.exr": exr(radiance)})
    assert background(arrays, 0).min() > 0.4
    assert background(arrays, 1).min() < 0.05


def test_black_rings_around_lamps_are_filled(exr):
    radiance = np.full((*SIZE, 3), 0.5)
    radiance[20:25, 60:65] = -0.001
    radiance[22, 62] = 30000
    radiance[50, 20] = 0.0  # dark, but near no lamp
    shown = background(pack_panoramas({"lamp.exr": exr(radiance)}), 0)
    assert shown[18:27, 58:67].min() > 0.4
    assert shown[50, 20].max() < 0.3
