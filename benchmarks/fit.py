"""3D bodies fitted to rendered people, whose true vertices and camera are known.

python benchmarks/fit.py [COUNT [FIRST_SEED]]

Two kinds of portraits of 256 x 192: whole bodies, and all that `render` makes (cut off, hidden, behind props). The
labels are the true ones or the default model's; the focal length is guessed, with true labels also known. Errors are
means over the body's 13,348 vertices, in the camera's axes, after shifting the middle of the hips onto the true one;
"seen" over those that a pixel shows; "aligned" after the best rotation, shift and scale (Procrustes). Reprojection:
mean distance of labelled pixels from where the body has their true points. The baseline is the start: the mean of
shapes in the best of the prior's 32 typical poses, placed by RANSAC and PnP. Seconds are processor time; loading is
not counted.
"""

import sys
import time
from collections.abc import Iterator

import numpy as np
import torch

from opendensepose import IUV, Instance, Predictor, render_image
from opendensepose.fit.body_fit import FEW_PIXELS, BodyFit, BodyFitter
from opendensepose.fit.correspondences import sample_pixels
from opendensepose.fit.start import starts
from opendensepose.surface import SurfacePoints, load_surface
from opendensepose.synth.ingredients import Ingredients

SIZE_HW = (256, 192)
KINDS = {"whole": Ingredients(truncation=False, occluders=False, props=False), "all": Ingredients()}
COLUMNS = ("error cm", "seen cm", "aligned cm", "start cm", "reprojection px", "seconds")


def true_person(rendered) -> Instance:
    mask = rendered.person == 1
    iuv = IUV(*(np.where(mask, one, 0).astype(one.dtype) for one in (rendered.i, rendered.u, rendered.v)))
    return Instance(rendered.boxes_xyxy[0], 1.0, iuv, mask.astype(np.float32))


def hips_to_origin(fitter: BodyFitter, vertices: np.ndarray) -> np.ndarray:
    """Shift Anny's vertices (V, 3) so that the middle of the hips is the origin; return those of the surface."""
    keypoints = fitter.skeleton.body.keypoints_of(torch.from_numpy(np.asarray(vertices, np.float32))[None])[0].numpy()
    return (vertices - keypoints[11:13].mean(0))[load_surface().anny_vertex]


def aligned(points: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Turn, shift and scale points (V, 3) so that they are nearest to the true ones."""
    a, b = points - points.mean(0), truth - truth.mean(0)
    u, stretch, v = np.linalg.svd(a.T @ b)
    stretch[2] *= np.sign(np.linalg.det(u @ v))
    turn = u * (1, 1, np.sign(np.linalg.det(u @ v))) @ v
    return stretch.sum() / (a * a).sum() * a @ turn + truth.mean(0)


def measure(fitter: BodyFitter, rendered, fit: BodyFit, start: np.ndarray, seconds: float) -> list[float]:
    """The row of COLUMNS; start: Anny's vertices in the camera's axes."""
    surface, mask = load_surface(), rendered.person == 1
    truth = hips_to_origin(fitter, rendered.camera.to_camera(rendered.vertices[0]))
    anny = (
        fitter.skeleton.body.pose(np.array([list(fit.shape.values())], np.float32), fit.pose[None]).vertices[0].numpy()
    )
    found = hips_to_origin(fitter, fit.camera.to_camera(anny))
    off, off_start = (100 * np.linalg.norm(one - truth, axis=1) for one in (found, hips_to_origin(fitter, start)))
    off_aligned = 100 * np.linalg.norm(aligned(found, truth) - truth, axis=1)
    seen = np.zeros(len(truth), bool)
    seen[np.unique(surface.faces[rendered.face[mask]])] = True
    places = SurfacePoints(rendered.face[mask], rendered.barycentric[mask]).xyz(fit.vertices, surface.faces)
    pixels = np.argwhere(mask)[:, ::-1] + 0.5
    reprojection = np.linalg.norm(fit.camera.project(places) - pixels, axis=1).mean()
    return [off.mean(), off[seen].mean(), off_aligned.mean(), off_start.mean(), reprojection, seconds]


def fit_one(fitter: BodyFitter, rendered, person: Instance, known: bool) -> list[float]:
    camera = rendered.camera
    given = {"focal_px": camera.focal_px, "center_px": camera.center_px} if known else {}
    begun = time.process_time()
    fit = fitter(person, **given)
    seconds = time.process_time() - begun
    problem = fitter.problem(sample_pixels(person, FEW_PIXELS), fit.camera.focal_px, np.array(fit.camera.center_px))
    start = starts(problem, 1)[0].placement
    return measure(fitter, rendered, fit, fitter.skeleton.vertices(start), seconds)


def cases(predictor: Predictor, ingredients: Ingredients, seed: int) -> Iterator[tuple[str, object, Instance, bool]]:
    rendered = render_image(
        np.random.default_rng(seed), SIZE_HW, framing="portrait", num_people=1, ingredients=ingredients
    )
    mask = rendered.person == 1
    if not mask.any():
        return
    yield "true labels, known focal length", rendered, true_person(rendered), True
    yield "true labels, guessed focal length", rendered, true_person(rendered), False
    predicted = max(predictor(rendered.image_rgb), key=lambda one: (one.mask & mask).sum(), default=None)
    if predicted is not None and (predicted.mask & mask).any():
        yield "predicted labels, guessed focal length", rendered, predicted, False


def main() -> None:
    given = [int(one) for one in sys.argv[1:3]]
    count, first = (*given, *(12, 1000)[len(given) :])
    fitter, predictor = BodyFitter(), Predictor()
    for kind, ingredients in KINDS.items():
        rows: dict[str, list[list[float]]] = {}
        for seed in range(first, first + count):
            for name, rendered, person, known in cases(predictor, ingredients, seed):
                try:
                    row = fit_one(fitter, rendered, person, known)
                except ValueError as error:
                    print(f"{kind} {seed} {name}: {error}")
                    continue
                rows.setdefault(name, []).append(row)
                print(f"{kind} {seed} {name}: " + " ".join(f"{value:.2f}" for value in row), flush=True)
        print(f"\n{kind}: mean (median) of " + ", ".join(COLUMNS))
        for name, values in rows.items():
            mean, median = np.mean(values, axis=0), np.median(values, axis=0)
            figures = "  ".join(f"{a:.2f} ({b:.2f})" for a, b in zip(mean, median, strict=True))
            print(f"  {name}, {len(values)} people: {figures}")
        print()


if __name__ == "__main__":
    main()
