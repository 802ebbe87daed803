"""One self-contained HTML page: a photo and the 3D body side by side, linked point by point (three.js, MIT).

Letters: H, W the photo as shown; N vertices of the cut mesh; F faces.
"""

import base64
import html
import json
import string
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from opendensepose.instance import Instance, merge_instances
from opendensepose.surface import CHART_COLOURS, CHART_NAMES, load_charts, load_surface
from opendensepose.surface.atlas import map_layout
from opendensepose.texture.bake import bake_texture
from opendensepose.texture.gltf import body_mesh, to_gltf_axes, vertex_normals
from opendensepose.texture.texture import Source

__all__ = [
    "PAGE",
    "body_arrays",
    "correspondence_page",
    "packed",
    "page_settings",
    "pixel_arrays",
    "shown_step",
    "shrink_photo",
]

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("data.js", "photo.js", "body.js", "link.js", "view.js")
MOST_PX = 1280  # longer side of the photo in the page; of larger ones every k-th pixel has its label
TEXTURE_SIDE = 1024
CLAY = (150, 155, 165)  # what the photo does not show
FADE_PX = (5, 14)  # texels from what it shows: there the body turns to clay
REACH_M = 0.02  # a point of the body is in the photo if a pixel shows a place no farther away


def correspondence_page(image_rgb: np.ndarray, people: Sequence[Instance], title: str = "photo") -> str:
    """Write the page of a photo (H, W, 3) uint8 and its people as one HTML document that loads nothing else.

    Pointing at a pixel marks its point on the body, and the reverse. The body wears the colours that the largest person
    shows in the photo. ValueError if there is nobody or a map differs in size.
    """
    labelled = [person for person in people if person.iuv.i.any()]
    if not labelled:
        raise ValueError("the page needs a person, got none.")
    largest = max(labelled, key=lambda one: np.count_nonzero(one.iuv.i))
    texture = bake_texture([(image_rgb, [largest])], map_layout(TEXTURE_SIDE))
    unseen = (texture.source != Source.SEEN).astype(np.uint8)
    fade = np.interp(cv2.distanceTransform(unseen, cv2.DIST_L2, 5), FADE_PX, (0, 1))[..., None]
    worn = (texture.colour + fade * (np.array(CLAY, np.float64) - texture.colour) + 0.5).astype(np.uint8)
    step = shown_step(image_rgb.shape[:2])
    shown = shrink_photo(image_rgb, step)
    data: dict[str, object] = {
        **body_arrays(),
        **page_settings(),
        **pixel_arrays(image_rgb.shape[:2], people, step),
        "photo": _jpeg_url(shown),
        "texture": _jpeg_url(worn),
        "width": shown.shape[1],
        "height": shown.shape[0],
        "step": step,
    }
    script = f"const PAGE_DATA = {json.dumps(data)};\n" + "\n".join((PAGE / name).read_text() for name in SCRIPTS)
    crowd = "1 person" if len(labelled) == 1 else f"{len(labelled)} people"
    return string.Template((PAGE / "view.html").read_text()).substitute(
        title=html.escape(title),
        people=crowd,
        css=(PAGE / "view.css").read_text(),
        three=(PAGE / "three.min.js").read_text(),
        script=script,
    )


def page_settings() -> dict[str, object]:
    """Return what the scripts need besides arrays, whatever the photo: names and colours of the charts, the reach."""
    return {"reach": REACH_M, "chartNames": CHART_NAMES, "chartColours": CHART_COLOURS.tolist()}


def shown_step(size_hw: tuple[int, ...]) -> int:
    """Return which pixels of a photo have their labels in the page: every `step`-th in a row and in a column."""
    return max(1, -(-max(size_hw) // MOST_PX))


def body_arrays() -> dict[str, str]:
    """Return the body at rest as `data.js` reads it: arrays by name, packed."""
    surface, charts = load_surface(), load_charts()
    mesh = body_mesh(surface, charts, map_layout(TEXTURE_SIDE))
    arrays = {
        "vertices": to_gltf_axes(surface.vertices)[mesh.vertex].astype("<f4"),
        "normals": to_gltf_axes(vertex_normals(surface))[mesh.vertex].astype("<f4"),
        "textureXy": mesh.texture_xy.astype("<f4"),
        "surfaceVertex": mesh.vertex.astype("<u2"),
        "faces": mesh.faces.astype("<u2"),
        "faceChart": charts.face_chart,
        "faceUv": charts.face_uv.astype("<f4"),
    }
    return {name: packed(values) for name, values in arrays.items()}


def pixel_arrays(size_hw: tuple[int, int], people: Sequence[Instance], step: int) -> dict[str, str]:
    """Of every step-th pixel: face, weights of its second and third corner in 255ths, person (0: nobody)."""
    iuv, person = merge_instances(people, size_hw)
    i, u, v = (field[::step, ::step] for field in (iuv.i, iuv.u, iuv.v))
    there = i > 0
    points = load_charts().to_points(i[there], u[there], v[there])
    face = np.zeros(i.shape, "<u2")
    face[there] = points.face
    first, second = np.zeros(i.shape, np.uint8), np.zeros(i.shape, np.uint8)
    first[there], second[there] = np.floor(255 * points.barycentric[:, 1:] + 0.499).astype(np.uint8).T
    arrays = {"face": face, "first": first, "second": second, "person": person[::step, ::step]}
    return {name: packed(values) for name, values in arrays.items()}


def packed(values: np.ndarray) -> str:
    """Deflate an array's bytes and write them in base64."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 6)).decode()


def shrink_photo(image_rgb: np.ndarray, step: int) -> np.ndarray:
    """Shrink a photo (H, W, 3) uint8 to the size of every `step`-th pixel."""
    height, width = image_rgb[::step, ::step].shape[:2]
    return cv2.resize(image_rgb, (width, height), interpolation=cv2.INTER_AREA) if step > 1 else image_rgb


def _jpeg_url(picture: np.ndarray) -> str:
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
