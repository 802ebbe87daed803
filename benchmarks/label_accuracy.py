"""Are rendered labels true? Posed and projected, the surface point of a labelled pixel must fall on that pixel.

    python benchmarks/label_accuracy.py [--count N]

Labels are of the skin, so there is nothing to except: pixels of loose garments and hair carry the label of the body
behind them. Their share is printed too.
"""

import argparse

import numpy as np

from opendensepose.surface import SurfacePoints, load_surface
from opendensepose.synth import render_images


def errors_px(picture) -> np.ndarray:
    """Distance in pixels from each labelled pixel's centre to the projection of its posed surface point."""
    surface, errors = load_surface(), [np.zeros(0)]
    for k in range(len(picture.boxes_xyxy)):
        rows, columns = np.nonzero(picture.person == k + 1)
        points = SurfacePoints(picture.face[rows, columns], picture.barycentric[rows, columns])
        xy = picture.camera.project(points.xyz(picture.vertices[k][surface.anny_vertex], surface.faces))
        errors.append(np.linalg.norm(xy - np.stack([columns, rows], 1) - 0.5, axis=1))
    return np.concatenate(errors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="pictures of each framing")
    count = parser.parse_args().count
    print(f"{'framing':10s} {'pixels':>10s} {'within 0.6 px':>14s} {'worst px':>9s}")
    for framing in ("portrait", "scene"):
        errors = []
        for start in range(0, count, 16):
            rngs = np.random.default_rng([2, start]).spawn(min(16, count - start))
            errors += [errors_px(picture) for picture in render_images(rngs, (256, 192), framing=framing)]
        error = np.concatenate(errors)
        print(f"{framing:10s} {len(error):10d} {(error < 0.6).mean():14.5%} {error.max():9.2f}")


if __name__ == "__main__":
    main()
