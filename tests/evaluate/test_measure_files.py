"""Predictions and annotations on disk: what is read, measured, written and refused."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.evaluation.assets import small_body, write_assets
from tests.evaluation.people import UVDistances
from tests.evaluation.test_report import Page

import opendensepose.evaluate
from opendensepose.data import category, person_annotation, result_entry, write_results
from opendensepose.evaluate import evaluate_files, write_json, write_report
from opendensepose.iuv import IUV, crop_iuv

SIZE_HW = (200, 300)


@pytest.fixture(autouse=True)
def uv_distances(monkeypatch):
    """Distances in UV in the place of geodesics, unless assets are asked for."""
    real = opendensepose.evaluate.load_distances
    monkeypatch.setattr(
        "opendensepose.evaluate.measure_files.load_distances", lambda assets: real(assets) if assets else UVDistances()
    )


def truth_maps(image_id):
    """Two people side by side: i, u, v, instance (H, W)."""
    i, person = np.zeros(SIZE_HW, np.uint8), np.zeros(SIZE_HW, np.uint8)
    for k, left in enumerate((20, 160), start=1):
        i[30:80, left : left + 90], i[80:130, left : left + 90] = 2, 9 + image_id % 2
        i[130:180, left : left + 90] = 13
        person[30:180, left : left + 90] = k
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    u, v = ((y % 50) / 50).astype(np.float32), ((x % 100) / 100).astype(np.float32)
    return i, np.where(i > 0, u, 0), np.where(i > 0, v, 0), person


def write_truth(folder, images=3):
    document = {"info": {}, "images": [], "annotations": [], "categories": [category()]}
    (folder / "images").mkdir(parents=True)
    for image_id in range(1, images + 1):
        i, u, v, person = truth_maps(image_id)
        name = f"{image_id:06d}.png"
        Image.fromarray(np.stack([i * 9, person * 80, i], 2)).save(folder / "images" / name)
        document["images"].append({"id": image_id, "file_name": name, "height": SIZE_HW[0], "width": SIZE_HW[1]})
        for k in (1, 2):
            own = (np.where(person == k, part, 0) for part in (i, u, v))
            one = dict(zip("iuv", own, strict=True))
            document["annotations"].append(
                person_annotation(
                    annotation_id=image_id * 10 + k, image_id=image_id, keypoints=np.zeros((17, 3)), **one
                )
            )
    path = folder / "annotations.json"
    path.write_text(json.dumps(document))
    return path


def write_npz(folder, images=3, change=lambda maps: maps):
    folder.mkdir()
    for image_id in range(1, images + 1):
        i, u, v, person = truth_maps(image_id)
        boxes = np.array([[20, 30, 110, 180], [160, 30, 250, 180]], np.float32)
        maps = {"I": i, "U": u, "V": v, "instance": person, "boxes_xyxy": boxes, "scores": np.float32([0.9, 0.8])}
        np.savez(folder / f"{image_id:06d}.npz", **change(maps))
    return folder


def write_json_results(path, images=3):
    entries = []
    for image_id in range(1, images + 1):
        i, u, v, person = truth_maps(image_id)
        for k, box in ((1, (20, 30, 110, 180)), (2, (160, 30, 250, 180))):
            own = IUV(*(np.where(person == k, part, 0).astype(part.dtype) for part in (i, u, v)))
            entries.append(
                result_entry(image_id=image_id, score=1 - k / 10, box_xyxy=np.array(box), iuv=crop_iuv(own, box))
            )
    write_results(path, entries)
    return path


@pytest.fixture
def truth(tmp_path):
    return write_truth(tmp_path / "truth")


def test_the_truth_itself_is_perfect_as_npz(tmp_path, truth):
    seen = []
    result = evaluate_files(write_npz(tmp_path / "out"), truth, on_image=lambda *numbers: seen.append(numbers))
    numbers = json.loads(json.dumps(result.measures.gps["kappa"].numbers()))
    assert numbers["ap"] == pytest.approx(1) and numbers["ar"] == 1
    np.testing.assert_allclose(result.measures.error_m, 0, atol=1e-6)
    assert result.measures.box.ap == pytest.approx(1) and result.remarks == []
    assert len(result.measures.people) == 6 and seen == [(1, 3), (2, 3), (3, 3)]


def test_confidences_are_measured_where_files_have_any(tmp_path, truth):
    def told(maps):
        sure = np.where(maps["instance"] == 1, 0.75, np.where(maps["instance"] == 2, 0.25, 0)).astype(np.float32)
        return maps | {"confidence": sure}

    people = evaluate_files(write_npz(tmp_path / "told", change=told), truth).measures.people
    assert all((one.confidence == (0.75, 0.25)[one.annotation_id % 10 - 1]).all() for one in people)
    for source in (write_npz(tmp_path / "out"), write_json_results(tmp_path / "results.json")):
        assert np.isnan(evaluate_files(source, truth).measures.confidence).all()


def test_results_files_give_what_npz_give_but_for_their_255_steps(tmp_path, truth):
    by_npz = evaluate_files(write_npz(tmp_path / "out"), truth).measures
    by_json = evaluate_files(write_json_results(tmp_path / "results.json"), truth).measures
    np.testing.assert_allclose(by_json.error_m, by_npz.error_m, atol=np.hypot(0.5, 0.5) / 255 + 1e-6)
    assert by_json.gpsm["part"].numbers() == pytest.approx(by_npz.gpsm["part"].numbers(), nan_ok=True)


def test_the_normaliser_and_the_assets_are_the_ones_asked_for(tmp_path, truth):
    folder = write_npz(tmp_path / "out")
    assert list(evaluate_files(folder, truth, normaliser="part").measures.gps) == ["part"]
    assert list(evaluate_files(folder, truth).measures.gps) == ["kappa", "part"]
    assets = write_assets(tmp_path / "assets", *small_body(np.random.default_rng(0)))
    result = evaluate_files(folder, truth, assets=assets)
    assert "SMPL" in result.measures.surface and result.measures.gps["kappa"].ap == pytest.approx(1)
    with pytest.raises(ValueError, match="kappa, part, got 'metre'"):
        evaluate_files(folder, truth, normaliser="metre")


def test_images_without_predictions_are_missed_and_remarked(tmp_path, truth):
    result = evaluate_files(write_npz(tmp_path / "out", images=2), truth)
    assert result.measures.gps["kappa"].ar == pytest.approx(4 / 6)
    assert result.remarks == [f"1 of 3 images have no .npz in {tmp_path / 'out'}: all their people are missed."]


def test_detections_of_other_images_and_categories_are_left_out(tmp_path, truth):
    path = write_json_results(tmp_path / "results.json")
    entries = json.loads(path.read_text())
    more = [entries[0] | {"image_id": 77, "score": 1.0}, entries[0] | {"category_id": 18, "score": 1.0}]
    write_results(path, [*entries, *more])
    result = evaluate_files(path, truth)
    assert result.measures.num_detections == 6 and result.measures.gps["kappa"].ap == pytest.approx(1)
    assert "1 detections are of images" in result.remarks[0]


def test_json_has_every_number_under_its_normaliser_and_no_nan(tmp_path, truth):
    result = evaluate_files(write_npz(tmp_path / "out"), truth)
    write_json(result, tmp_path / "n.json")
    content = json.loads((tmp_path / "n.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    for normaliser in ("kappa", "part"):
        of = content[normaliser]
        assert of["rcp"]["auc10"] == pytest.approx(1) and of["rcp"]["auc30"] == pytest.approx(1)
        for kind in ("gps", "gpsm", "mask", "box"):
            assert set(of[kind]) == {"ap", "ap50", "ap75", "ap_m", "ap_l", "ar", "ar50", "ar75", "ar_m", "ar_l"}
    assert content["kappa"]["gps"]["ap_m"] is None  # everybody is large
    assert content["surface"] == "24 squares" and content["people"] == 6


def test_the_report_is_one_page_that_needs_no_other_file(tmp_path, truth):
    result = evaluate_files(write_npz(tmp_path / "out", images=2), truth)
    path = write_report(result, tmp_path / "report", title="a <b> & c")
    assert [entry.name for entry in (tmp_path / "report").iterdir()] == ["index.html"] == [path.name]
    page = Page(path.read_text())
    assert page.open == []
    assert len(page.sources) == 10  # the body, 6 people, RCP curves, precision under two normalisers
    assert all(source.startswith("data:image/") for source in page.sources)
    text = " ".join(page.text)
    for part in ("a <b> & c", "24 squares", "kappa = 0.255 m", "per-part", "AP75", "upper leg right", "annotation 31"):
        assert part in text
    assert "http" not in path.read_text().replace("http-equiv", "")


def broken(change):
    return lambda truth, folder: truth.write_text(json.dumps(change(json.loads(truth.read_text()))))


def first(document, **fields):
    document["annotations"][0] |= fields
    return document


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: first(d, dp_U=[2.0]), "annotations.json.*annotation 11.*dp_U"),
        (lambda d: first(d, bbox=[0, 0]), "annotations.json.*annotation 11.*bbox"),
        (lambda d: first(d, dp_masks=[3]), "annotations.json.*annotation 11.*dp_masks"),
        (lambda d: d | {"annotations": []}, "annotations.json has no annotations"),
        (lambda d: d | {"images": [d["images"][0] | {"height": None}, *d["images"][1:]]}, "image 1: height and width"),
    ],
)
def test_bad_annotations_are_one_sentence(tmp_path, truth, change, says):
    truth.write_text(json.dumps(change(json.loads(truth.read_text()))))
    with pytest.raises(ValueError, match=says):
        evaluate_files(write_npz(tmp_path / "out"), truth)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: {k: m[k] for k in m if k != "scores"}, "000001.npz.*scores"),
        (lambda m: m | {"I": m["I"][1:]}, r"000001.npz: u must be float32 of shape \(199, 300\) like i"),
        (
            lambda m: m | {name: m[name][1:] for name in ("I", "U", "V", "instance")},
            r"000001.npz: I is \(199, 300\), but the annotated image is \(200, 300\)",
        ),
        (lambda m: m | {"instance": m["instance"][1:]}, "000001.npz: instance is"),
        (lambda m: m | {"U": m["U"] * 3}, "000001.npz: u must lie in"),
        (lambda m: m | {"I": m["I"].astype(float)}, "000001.npz: i must be uint8"),
        (lambda m: m | {"scores": np.ones(3)}, "000001.npz: boxes_xyxy and scores"),
        (lambda m: m | {"scores": np.float32([np.nan, 1])}, "000001.npz: a detection's score"),
    ],
)
def test_bad_npz_are_one_sentence(tmp_path, truth, change, says):
    with pytest.raises(ValueError, match=says):
        evaluate_files(write_npz(tmp_path / "out", change=change), truth)


def test_bad_predictions_are_one_sentence(tmp_path, truth):
    with pytest.raises(FileNotFoundError, match="gone"):
        evaluate_files(tmp_path / "gone", truth)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty has no .npz of the images that .*, such as 000001.npz"):
        evaluate_files(tmp_path / "empty", truth)
    folder = write_npz(tmp_path / "out")
    (folder / "000002.npz").write_bytes((folder / "000002.npz").read_bytes()[:500])
    with pytest.raises(ValueError, match="000002.npz is "):
        evaluate_files(folder, truth)
    results = write_json_results(tmp_path / "results.json")
    entries = json.loads(results.read_text())
    for change, says in (({"score": "x"}, "detection 1: score"), ({"uv_data": "?"}, "detection 1: uv_data")):
        write_results(results, [entries[0], entries[1] | change])
        with pytest.raises(ValueError, match=f"results.json: {says}"):
            evaluate_files(results, truth)
    write_results(results, [entries[0] | {"image_id": 99}])
    with pytest.raises(ValueError, match="none of the 1 detections"):
        evaluate_files(results, truth)
