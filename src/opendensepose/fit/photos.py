"""Bodies in photos on disk: what the verb `fit` does, and the files that it writes.

NAME.fit.json: camera, pose by bone, shape by name, confidence by joint. NAME.fit.npz: the same as arrays, and vertices.
NAME.fit.glb: bodies before the photo. NAME.fit.png: bodies over the photo.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from opendensepose.data.photos import exif_focal
from opendensepose.fit.body_fit import BodyFit, BodyFitter
from opendensepose.fit.draw import draw_bodies, scene_glb
from opendensepose.fit.rotations import rotation_vector
from opendensepose.instance import Instance
from opendensepose.surface.atlas import map_layout
from opendensepose.texture import Texture, bake_texture
from opendensepose.texture.photos import write_all

__all__ = ["fit_arrays", "fit_json", "fit_photos"]

EXIF_SPREAD = 0.1  # of the logarithm: the photo may have been cropped since
TEXTURE_SIDE = 512  # a texel is 4 mm, and filling what is not seen takes a quarter of the time of 1024


@dataclass(frozen=True)
class FittedPerson:
    """A body and its texture."""

    fit: BodyFit
    texture: Texture


def fit_photos(
    photos: Iterable[tuple[Path, np.ndarray, Sequence[Instance]]],
    out_dir: str | Path,
    focal_px: float | None = None,
    on_person: Callable[[Path, int, "BodyFit | str"], None] | None = None,
) -> list[Path]:
    """Fit a body to each person of each photo, (path, image_rgb, people); write four files per photo. Return the paths.

    focal_px: of all photos; None: what EXIF says, or a guess that the fit corrects. on_person(path, number, fit or why
    there is none) is called for each person; one whom too few pixels show is left out. ValueError if no person of no
    photo can be fitted, or the output folder cannot be written.
    """
    fitter: BodyFitter | None = None
    written: list[Path] = []
    for path, image_rgb, people in photos:
        focal, spread = focal_px, 0.0
        if focal is None:
            focal, spread = exif_focal(path), EXIF_SPREAD
        found: dict[int, FittedPerson] = {}
        order = sorted(range(len(people)), key=lambda k: -np.count_nonzero(people[k].iuv.i))
        for k in order:  # the largest person's camera is everybody's
            fitter = fitter or BodyFitter()  # loaded for the first person
            try:
                fit = fitter(people[k], focal, spread if focal else None)
                texture = bake_texture([(image_rgb, [people[k]])], map_layout(TEXTURE_SIDE))
            except ValueError as error:
                said: BodyFit | str = str(error)
            else:
                said, found[k] = fit, FittedPerson(fit, texture)
                focal, spread = fit.camera.focal_px, 0.0
            if on_person:
                on_person(path, k + 1, said)
        if found:
            written += _write(Path(out_dir), path.stem, image_rgb, [found[k] for k in sorted(found)])
    if not written:
        raise ValueError("no body was fitted: no photo shows a person by enough labelled pixels.")
    return written


def _write(out_dir: Path, stem: str, image_rgb: np.ndarray, people: Sequence[FittedPerson]) -> list[Path]:
    fits = [one.fit for one in people]
    arrays, picture = BytesIO(), BytesIO()
    np.savez_compressed(arrays, allow_pickle=False, **fit_arrays(fits))
    Image.fromarray(draw_bodies(image_rgb, fits)).save(picture, "PNG", compress_level=6)
    contents = {
        f"{stem}.fit.json": json.dumps(fit_json(fits), indent=1).encode(),
        f"{stem}.fit.npz": arrays.getvalue(),
        f"{stem}.fit.glb": scene_glb(image_rgb, fits, [one.texture for one in people]),
        f"{stem}.fit.png": picture.getvalue(),
    }
    return write_all(out_dir, contents)


def fit_json(fits: Sequence[BodyFit]) -> dict:
    """List the bodies of a photo, all of one camera, for a JSON file.

    Rotations are vectors, axis times radians, as Anny's pose parameterization local-ref has them; bones that are not
    named do not turn. Lengths in metres and pixels.
    """
    camera = fits[0].camera
    people = []
    for fit in fits:
        vectors = rotation_vector(fit.pose[:, :3, :3]).round(6)
        people.append(
            {
                "root_m": fit.pose[0, :3, 3].round(6).tolist(),
                "pose": {bone: one.tolist() for bone, one in zip(fit.bones, vectors, strict=True) if np.any(one)},
                "shape": {name: round(value, 5) for name, value in fit.shape.items()},
                "confidence": {name: round(value, 3) for name, value in fit.confidence.items()},
                "off_px": round(fit.off_px, 3),
            }
        )
    return {
        "model": "anny",
        "pose_parameterization": "local-ref",
        "camera": {
            "focal_px": round(camera.focal_px, 3),
            "center_px": list(camera.center_px),
            "size_hw": list(camera.size_hw),
            "rotation": camera.rotation.tolist(),
            "translation": camera.translation.tolist(),
        },
        "people": people,
    }


def fit_arrays(fits: Sequence[BodyFit]) -> dict[str, np.ndarray]:
    """Stack P bodies of one camera: vertices (P, V, 3), pose (P, K, 4, 4), shape (P, S), confidence (P, J), float32,
    with the names of bones, phenotypes and joints; focal_px (), center_px (2,) float32, size_hw (2,) int32."""
    camera = fits[0].camera
    return {
        "vertices": np.stack([fit.vertices for fit in fits]).astype(np.float32),
        "pose": np.stack([fit.pose for fit in fits]).astype(np.float32),
        "bone_names": np.array(fits[0].bones),
        "shape": np.array([list(fit.shape.values()) for fit in fits], np.float32),
        "shape_names": np.array(list(fits[0].shape)),
        "confidence": np.array([list(fit.confidence.values()) for fit in fits], np.float32),
        "joint_names": np.array(list(fits[0].confidence)),
        "focal_px": np.array(camera.focal_px, np.float32),
        "center_px": np.array(camera.center_px, np.float32),
        "size_hw": np.array(camera.size_hw, np.int32),
    }
