"""Every measure against the released algorithm, on files that hold what real files hold."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.evaluation.assets import small_body, write_assets
from tests.evaluation.random_files import CASES, SIZE_HW, RandomFiles
from tests.evaluation.released_evaluator import QUIRKS, Body, ReleasedEvaluator

from opendensepose.data import result_entry
from opendensepose.evaluate import evaluate_files
from opendensepose.iuv import IUV

PAGE = (Path(__file__).parents[2] / "docs" / "how_to" / "evaluate.md").read_text()


def measures_of(folder, document, results, body):
    write_assets(folder / "assets", *body)
    (folder / "annotations.json").write_text(json.dumps(document))
    (folder / "results.json").write_text(json.dumps(results))
    files = folder / "results.json", folder / "annotations.json"
    return evaluate_files(*files, assets=folder / "assets").measures


def figures_of(measures, normaliser, kind):
    of = {"gps": measures.gps[normaliser], "gpsm": measures.gpsm[normaliser], "mask": measures.mask}
    return of[kind].numbers()


def test_all_measures_are_those_of_the_released_algorithm(tmp_path):
    met, values = set(), []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        files, body = RandomFiles(rng), small_body(rng)
        met |= files.met
        measures = measures_of(tmp_path, files.document, files.results, body)
        for normaliser in ("part", "kappa"):
            released = ReleasedEvaluator(files.document, files.results, Body(*body), normaliser=normaliser)
            for kind in ("gps", "gpsm", "mask"):
                expected = released.figures(kind)
                ours = figures_of(measures, normaliser, kind)
                assert ours == pytest.approx(expected, abs=1e-9, nan_ok=True), (seed, normaliser, kind)
                values.append(expected["ap"])
    assert met == CASES
    assert len(set(values)) > 30 and 0.05 < np.mean(values) < 0.95


def person(number, box, points, **more):
    """An annotated person whose points are x, y in pixels on chart 2."""
    x, y = np.array(points, float).T
    labels = {"dp_I": [2.0] * len(x), "dp_U": [0.2] * len(x), "dp_V": [0.4] * len(x)}
    places = {"dp_x": (255 * (x - box[0]) / box[2]).tolist(), "dp_y": (255 * (y - box[1]) / box[3]).tolist()}
    return {"id": number, "image_id": 1, "bbox": list(box), "area": box[2] * box[3], **places, **labels, **more}


def found(box, score, size_wh=None, u=0.2):
    """A detection of chart 2 all over, of u, v .2, .4, in a crop of the box's size or another."""
    width, height = size_wh or (int(box[2]), int(box[3]))
    flat = [
        np.full((height, width), value, kind) for value, kind in ((2, np.uint8), (u, np.float32), (0.4, np.float32))
    ]
    corners = np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])
    return result_entry(image_id=1, score=score, box_xyxy=corners, iuv=IUV(*flat))


def document_of(*people, **image):
    whole = {"id": 1, "height": SIZE_HW[0], "width": SIZE_HW[1], **image}
    return {"images": [whole], "annotations": list(people), "categories": [{"id": 1, "name": "person"}]}


REGION = {"ignore_regions_x": [[0, 60, 60, 0]], "ignore_regions_y": [[0, 0, 60, 60]]}
RIGHT = (80, 70, 40, 40)
ON_PURPOSE = {
    "id 0 is no match": (document_of(person(0, RIGHT, [(100, 90)])), [found(RIGHT, 0.9)], "ap", 1, 0),
    "regions wrap round": (
        document_of(person(1, RIGHT, [(100, 90)]), person(2, (-5, 10, 40, 40), [(10, 20)]), **REGION),
        [found(RIGHT, 0.9)], "ar", 1, 0.5,
    ),
    "other crops stay": (
        document_of(person(1, RIGHT, [(100, 90)]), **REGION),
        [found(RIGHT, 0.8), found((5, 5, 40, 40), 0.9, (42, 42))], "ap", 1, 0.5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("quirk", ON_PURPOSE)
def test_what_differs_on_purpose_differs_as_the_page_says(tmp_path, quirk):
    document, results, name, ours, theirs = ON_PURPOSE[quirk]
    body = small_body(np.random.default_rng(0))
    measures = measures_of(tmp_path, document, results, body)
    assert measures.gps["part"].numbers()[name] == pytest.approx(ours)
    assert ReleasedEvaluator(document, results, Body(*body)).figures("gps")[name] == pytest.approx(ours)
    released = ReleasedEvaluator(document, results, Body(*body), quirks={quirk})
    assert released.figures("gps")[name] == pytest.approx(theirs)


def test_distances_are_squared_in_float64(tmp_path):
    rng = np.random.default_rng(3)
    body = small_body(rng)
    document, results = document_of(person(1, RIGHT, [(100, 90)])), [found(RIGHT, 0.9, u=1.0)]
    ours = measures_of(tmp_path, document, results, body).scored["part"][0].similarity.item()
    assert ours == pytest.approx(ReleasedEvaluator(document, results, Body(*body)).images[0].gps[0][0], abs=1e-15)
    single = ReleasedEvaluator(document, results, Body(*body), quirks={"squares in float32"}).images[0].gps[0][0]
    assert 0 < ours < 1 and ours == pytest.approx(single, abs=1e-7)


def test_the_page_lists_what_differs():
    section = PAGE[PAGE.index("## What differs") :].split("\n## ")[0]
    for word in ("id 0", "ignore_regions", "another size", "float64"):
        assert word in section
    assert len(QUIRKS) == 4 and len([line for line in section.splitlines() if line.startswith("- ")]) >= len(QUIRKS)


def test_an_image_without_detections_can_be_measured_with_assets(tmp_path):
    body = small_body(np.random.default_rng(0))
    document = document_of(person(1, RIGHT, [(100, 90)]))
    document["images"].append({"id": 2, "height": 50, "width": 50})
    document["annotations"].append({**person(2, (5, 5, 40, 40), [(10, 20)]), "image_id": 2})
    measures = measures_of(tmp_path, document, [found(RIGHT, 0.9)], body)
    assert measures.gps["part"].ar == 0.5 and np.isinf(measures.error_m).sum() == 1
    nobody = measures_of(tmp_path, document, [], body)
    assert nobody.gps["part"].ap == nobody.gps["part"].ar == 0
