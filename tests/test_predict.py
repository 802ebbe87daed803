"""The Predictor: what it takes, what it refuses with a sentence, and that a list of photos gives the same as each."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from tests.evaluation.assets import small_body, write_assets
from tests.red_people import RedPeople, photo_with_red

from opendensepose import predict
from opendensepose.data import example_photo
from opendensepose.data.photos import read_photo
from opendensepose.formats import FORMATS
from opendensepose.models.checkpoints.checkpoint import save_checkpoint
from opendensepose.models.zoo import build_model
from opendensepose.predict import PredictionSummary, Predictor, predict_files

RESNET = {"depth": 18, "width": 32, "norm": "group", "channels": 32, "short_side": 64, "long_side": 96}
TINY = {
    "densepose_lite": {"widths": (8, 8, 8, 8), "depths": (0, 0, 0, 0), "crop_hw": (64, 48), "detect_sides": (96, 64)},
    "densepose_rcnn": RESNET | {"head_channels": 32, "head_layers": 1},
    "fcn": RESNET | {"scales": (0.5, 1.0)},
}


def test_the_network_s_own_score_counts_unless_another_is_given():
    photo = photo_with_red((10, 20), (0, 0, 10, 10))  # a score of 0.5
    assert len(Predictor(RedPeople(0.4))(photo)) == 1 and Predictor(RedPeople(0.4)).min_score == 0.4
    assert Predictor(RedPeople(0.6))(photo) == []
    assert len(Predictor(RedPeople(0.6), min_score=0.4)(photo)) == 1


def test_options_reach_the_network():
    network = RedPeople()
    Predictor(network, mirrored=False)
    assert network.options == (False, True)
    Predictor(network, refine=False)
    assert network.options == (True, False)


def test_a_list_of_photos_is_a_list_of_people_in_order_a_few_photos_at_a_time():
    network = RedPeople()
    photos = [photo_with_red((8, 10 + k), (0, 0, k, 8)) for k in range(10)]
    people = Predictor(network, min_score=0.01)(photos)
    assert [len(found) for found in people] == [0] + [1] * 9
    assert [int((found[0].iuv.i > 0).sum()) for found in people[1:]] == [8 * k for k in range(1, 10)]
    assert sum(count for count, _ in network.calls) == 10 and max(count for count, _ in network.calls) <= 4
    assert Predictor(network)([]) == []


def test_given_boxes_are_cut_off_at_the_photo_and_go_with_their_photo():
    network, photos = RedPeople(), [np.zeros((20, 30, 3), np.uint8), np.zeros((40, 10, 3), np.uint8)]
    predictor = Predictor(network)
    predictor(photos[0], boxes=[[-5, 2, 50, 10]])
    predictor(photos, boxes=[[], [[1, 2, 90, 90], [3, 4, 5, 6]]])
    assert network.calls == [(1, [[[0, 2, 30, 10]]]), (2, [[], [[1, 2, 10, 40], [3, 4, 5, 6]]])]
    assert predictor(photos[0], boxes=[]) == []
    with pytest.raises(ValueError, match="one array per photo, 2, got 1"):
        predictor(photos, boxes=[[[1, 2, 3, 4]]])


@pytest.mark.parametrize("name", TINY)
def test_several_photos_at_once_give_what_each_gives_alone(name):
    """Up to float noise: of two sizes, so that some share a batch and others do not."""
    torch.manual_seed(0)
    network, random = build_model(name, **TINY[name]), np.random.default_rng(0)
    photos = [random.integers(0, 256, (*size, 3), dtype=np.uint8) for size in [(60, 90), (90, 60), (60, 90), (60, 90)]]
    boxes = [np.float32([[5, 5, 40, 50], [20, 10, 60, 60]]), np.zeros((0, 4)), [[0, 0, 90, 60]], [[3, 4, 70, 55]]]
    few_people = 0.4 if name == "densepose_rcnn" else 0.01
    predictor = Predictor(network, device="cpu", min_score=few_people)
    for given in (None, boxes):
        together = predictor(photos, given)
        alone = [predictor(photo, None if given is None else given[k]) for k, photo in enumerate(photos)]
        assert [len(people) for people in together] == [len(people) for people in alone] and sum(map(len, alone)) > 2
        for people, others in zip(together, alone, strict=True):
            for one in people:
                other = min(others, key=lambda other, box=one.box_xyxy: np.abs(other.box_xyxy - box).max())
                np.testing.assert_allclose(one.box_xyxy, other.box_xyxy, atol=1e-2)
                assert one.score == pytest.approx(other.score, abs=1e-4)
                same = one.iuv.i == other.iuv.i
                assert same.mean() > 0.999
                for maps in ("u", "v"):
                    np.testing.assert_allclose(getattr(one.iuv, maps)[same], getattr(other.iuv, maps)[same], atol=1e-3)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.zeros((4, 4), np.uint8), r"got uint8 of shape \(4, 4\): repeat a grey image with np.stack"),
        (np.zeros((4, 4, 3)), r"got float64 of shape \(4, 4, 3\): if 1 is white, convert it with \(255 \* image\)"),
        (np.zeros((4, 4, 3), np.uint16), "got uint16 .*scale it to 0..255"),
        (np.zeros((4, 4, 4), np.uint8), r"alpha channel with image\[\.\.\., :3\]"),
        (np.zeros((3, 4, 5), np.uint8), r"image.transpose\(1, 2, 0\)"),
        (np.zeros((2, 4, 5, 3), np.uint8), r"several photos as a list, list\(images\)"),
        (np.zeros((0, 4, 3), np.uint8), r"got uint8 of shape \(0, 4, 3\)\.$"),
        (np.zeros(4, np.uint8), r"got uint8 of shape \(4,\)\.$"),
        (Image.new("L", (4, 4)), r"got Image: convert it with np.asarray\(ImageOps.exif_transpose"),
        (torch.zeros(4, 4, 3, dtype=torch.uint8), "got Tensor: convert it to a NumPy array"),
        ("photo.jpg", r"got str: read the file with opendensepose.data.read_photo\(path\)"),
    ],
)
def test_what_is_no_rgb_array_of_uint8_is_refused_with_the_way_to_convert_it(image, says):
    with pytest.raises(ValueError, match="^a photo must be an RGB array of uint8 of shape .*" + says):
        Predictor(RedPeople())(image)
    with pytest.raises(ValueError, match="^photo 1 of the list must be an RGB array .*" + says):
        Predictor(RedPeople())([np.zeros((4, 4, 3), np.uint8), image])


@pytest.mark.parametrize(
    "image",
    [np.full((4, 5), 7, np.uint8), np.full((4, 5, 3), 7 / 255), np.full((3, 4, 5), 7, np.uint8),
     np.full((4, 5, 4), 7, np.uint8), Image.new("L", (5, 4), 7)],
    ids=["grey", "float", "channels_first", "alpha", "pil"],
)  # fmt: skip
def test_the_way_to_convert_it_works(image):
    from PIL import ImageOps

    with pytest.raises(ValueError) as error:
        Predictor(RedPeople())(image)
    code = str(error.value).rpartition(" with ")[2].rstrip(".")
    converted = eval(code, {"np": np, "image": image, "ImageOps": ImageOps})
    np.testing.assert_array_equal(converted, np.full((4, 5, 3), 7, np.uint8))
    assert Predictor(RedPeople())(converted) == []


def test_extreme_shapes_are_refused():
    predictor, strip, good = Predictor(RedPeople()), np.zeros((10, 70_000, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)
    with pytest.raises(ValueError, match="^the longer side of a photo must be at most 20 .*, got 70000 x 10 pixels"):
        predictor(strip)
    with pytest.raises(ValueError, match="^the longer side of photo 1 of the list must be at most 20 times"):
        predictor([good, strip])
    assert predictor(np.zeros((1, 1000, 3), np.uint8)) == []


@pytest.mark.parametrize(
    ("boxes", "says"),
    [
        ([[0, 0, 1]], "boxes must be"),
        ("all", "boxes must be finite numbers"),
        ([[0, 0, np.nan, 1]], "finite"),
        ([[2, 0, 1, 1]], "x0 < x1"),
        ([[0, 0, 1, 1], [9, 9, 12, 12]], r"reach into the photo, got \[9.0, 9.0, 12.0, 12.0\]"),
    ],
)
def test_wrong_boxes_are_said(boxes, says):
    with pytest.raises(ValueError, match=says):
        Predictor(RedPeople())(np.zeros((4, 4, 3), np.uint8), boxes)


def test_the_library_that_runs_a_model(monkeypatch):
    choose = predict.choose_backend
    monkeypatch.setattr(predict, "_cuda_is_there", lambda: False)
    assert choose("default", None, None) == choose("default", "cpu", None) == "onnxruntime"
    assert choose("default", "cuda", None) == choose("mine.safetensors", None, None) == "torch"
    assert choose("R_50_FPN_s1x", None, None) == choose(RedPeople(), None, None) == "torch"
    assert choose("default", None, "torch") == choose(RedPeople(), None, "torch") == "torch"
    assert choose("body.onnx", None, None) == "onnxruntime" and choose("body.xml", None, None) == "openvino"
    assert choose("default", None, "openvino") == choose("body.onnx", None, "openvino") == "openvino"
    monkeypatch.setattr(predict, "_cuda_is_there", lambda: True)
    assert choose("default", None, None) == "torch" and choose("default", "cpu", None) == "onnxruntime"


@pytest.mark.parametrize(
    "model, device, backend, says",
    [
        ("default", None, "tflite", "backend must be one of torch, onnxruntime, openvino, got 'tflite'"),
        ("mine.safetensors", None, "onnxruntime", "onnxruntime cannot run mine.safetensors, only torch can"),
        ("body.xml", None, "torch", "torch cannot run body.xml, only openvino can"),
        ("default", "cuda", "onnxruntime", "runs on the CPU here, got the device 'cuda'"),
        (RedPeople(), None, "onnxruntime", "only torch can"),
    ],
)
def test_a_library_that_cannot_run_a_model_is_said(model, device, backend, says):
    with pytest.raises(ValueError, match=says):
        Predictor(model, device, backend=backend)


def test_networks_that_were_exported_label_as_the_default_model(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no exported network .*body.detect.onnx"):
        Predictor(tmp_path / "body.onnx")
    assert Predictor(device="cpu").backend == "onnxruntime" and Predictor(device="cpu").min_score > 0.1


def test_wrong_settings_are_said(tmp_path):
    with pytest.raises(ValueError, match="known models: default"):
        Predictor("nosuch")
    with pytest.raises(ValueError, match="min_score"):
        Predictor(RedPeople(), min_score=2)
    with pytest.raises(ValueError, match="a network that finds people, got Linear"):
        Predictor(torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="did you mean R_50_FPN_s1x"):
        Predictor("R50_FPN_s1x")
    with pytest.raises(ValueError, match="device 'nosuch' cannot be used here: torch knows no such device"):
        Predictor(RedPeople(), device="nosuch")
    weights = tmp_path / "tiny.safetensors"
    kwargs = {"widths": (4, 4, 4, 4), "depths": (0, 0, 0, 0)}
    save_checkpoint(weights, build_model("densepose_lite", **kwargs), "densepose_lite", kwargs)
    with pytest.raises(ValueError, match="device 'nosuch'"):
        Predictor(weights, device="nosuch")
    assert Predictor(weights, device="cpu").network.runtime.crop_hw == (192, 144)


def test_files_are_written_and_bad_ones_reported(tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    Image.fromarray(photo_with_red((120, 160), (50, 20, 90, 110))).save(photos / "good.png")
    Image.fromarray(photo_with_red((30, 40))).save(photos / "nobody.jpg")
    (photos / "bad.jpg").write_bytes(b"nothing")
    seen = []
    summary = predict_files(
        [photos], out, model=RedPeople(), on_photo=lambda done, of, path: seen.append((done, of, path.name))
    )
    assert seen == [(1, 3, "bad.jpg"), (2, 3, "good.png"), (3, 3, "nobody.jpg")]
    assert [p.name for p in summary.written] == ["good.npz", "nobody.npz"]
    assert list(summary.failures) == [photos / "bad.jpg"] and summary.exit_code == 1 and summary.num_people == 1
    made = {f"{stem}.{ending}" for stem in ("good", "nobody") for ending in ("npz", "overlay.jpg")}
    assert {p.name for p in out.iterdir()} == made | {"done.jsonl"}
    with np.load(out / "good.npz") as good, np.load(out / "nobody.npz") as nobody:
        for found, size_hw, people in ((good, (120, 160), 1), (nobody, (30, 40), 0)):
            shapes = {name: (found[name].shape, found[name].dtype.name) for name in found}
            assert shapes == {
                "I": (size_hw, "uint8"),
                "U": (size_hw, "float32"),
                "V": (size_hw, "float32"),
                "instance": (size_hw, "uint8"),
                "boxes_xyxy": ((people, 4), "float32"),
                "scores": ((people,), "float32"),
                "hidden_instance": ((0,), "uint8"),
                "hidden_xy": ((0, 2), "int32"),
                "hidden_I": ((0,), "uint8"),
                "hidden_U": ((0,), "float32"),
                "hidden_V": ((0,), "float32"),
                "confidence": (size_hw, "float32"),
                "hidden_confidence": ((0,), "float32"),
            }
        np.testing.assert_array_equal(good["instance"] > 0, good["I"] > 0)
        assert good["I"][60, 70] == 2
    with Image.open(out / "good.overlay.jpg") as overlay:
        assert overlay.size == (160, 120)


def test_processes_write_what_one_process_writes(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "astronaut.png"), cv2.resize(example_photo()[..., ::-1], (96, 96)))
    (photos / "bad.jpg").write_bytes(b"nothing")
    Image.fromarray(photo_with_red((48, 64))).save(photos / "red.png")
    done, seen = [], []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        settings = {"overlay": False, "workers": workers, "min_score": 0.05}
        done.append(predict_files([photos], out, on_photo=lambda *what: seen.append(what), **settings))
        assert {path.name for path in out.iterdir()} == {"astronaut.npz", "red.npz", "done.jsonl"}
    one, two = done
    for summary in done:  # processes end in any order
        assert sorted(path.name for path in summary.written) == ["astronaut.npz", "red.npz"]
    assert one.failures == two.failures and one.num_people == two.num_people
    assert [number for number, _, _ in seen[3:]] == [1, 2, 3] and {path for _, _, path in seen[3:]} == set(
        photos.iterdir()
    )
    for name in ("astronaut.npz", "red.npz"):
        with np.load(tmp_path / "1" / name) as first, np.load(tmp_path / "2" / name) as second:
            for field in first:
                np.testing.assert_allclose(first[field], second[field], atol=1e-3)
    with pytest.raises(ValueError, match="nosuch"):
        predict_files([photos], tmp_path / "3", model="nosuch", workers=2)


def test_exit_codes():
    assert PredictionSummary().exit_code == 0
    assert PredictionSummary(failures={"a": "bad"}).exit_code == 2
    assert PredictionSummary(num_photos=1, failures={"a": "bad"}).exit_code == 1
    assert PredictionSummary(num_skipped=1, failures={"a": "bad"}).exit_code == 1


def test_what_stops_a_batch_before_it_starts(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(photo_with_red((8, 8))).save(tmp_path / name / "same.png")
    with pytest.raises(ValueError, match="both be written as same: give them two folders"):
        predict_files([tmp_path / "a", tmp_path / "b"], tmp_path / "out", model=RedPeople())
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="output folder .* cannot be written"):
        predict_files([tmp_path / "a"], tmp_path / "file", model=RedPeople())


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(file, **maps):
        file.write(b"half")
        raise OSError("no space left on device")

    Image.fromarray(photo_with_red((8, 8))).save(tmp_path / "p.png")
    monkeypatch.setattr(np, "savez_compressed", full)
    summary = predict_files([tmp_path / "p.png"], tmp_path / "out", model=RedPeople())
    assert summary.exit_code == 2 and "no space" in summary.failures[tmp_path / "p.png"]
    assert not list((tmp_path / "out").iterdir())


def test_extreme_shapes_are_refused_and_the_other_photos_done(tmp_path):
    Image.fromarray(photo_with_red((30, 40))).save(tmp_path / "good.png")
    for name, size_wh in {"long": (70_000, 10), "tall": (1, 1_000_000)}.items():
        Image.new("L", size_wh).save(tmp_path / f"{name}.png")
    out = tmp_path / "out"
    summary = predict_files([tmp_path], out, model=RedPeople())
    assert [path.name for path in summary.failures] == ["long.png", "tall.png"] and summary.exit_code == 1
    for path, sentence in summary.failures.items():
        assert f"the longer side of {path} must be at most 20 times the shorter" in sentence
    assert {path.name for path in out.iterdir()} == {"good.npz", "good.overlay.jpg", "done.jsonl"}


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (cv2.error("no\nreason"), "OpenCV says 'no reason'"),
        (MemoryError(), "there is too little memory"),
        (torch.OutOfMemoryError("of the GPU"), "there is too little memory"),
    ],
)
def test_what_opencv_throws_and_want_of_memory_are_of_one_photo(tmp_path, error, says):
    class Thrower(RedPeople):
        def find(self, images_rgb, min_score):
            if images_rgb[0].shape[1] > images_rgb[0].shape[0]:
                raise error
            return super().find(images_rgb, min_score)

    Image.fromarray(photo_with_red((40, 20))).save(tmp_path / "good.png")
    Image.fromarray(photo_with_red((20, 40))).save(tmp_path / "bad.png")
    summary = predict_files([tmp_path], tmp_path / "out", model=Thrower())
    assert [path.name for path in summary.written] == ["good.npz"]
    assert says in summary.failures[tmp_path / "bad.png"] and "\n" not in summary.failures[tmp_path / "bad.png"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"good.npz", "good.overlay.jpg", "done.jsonl"}


@pytest.fixture(scope="module")
def embedding_network():
    torch.manual_seed(0)
    return build_model("embedding_rcnn", **TINY["densepose_rcnn"], num_vertices=114, vertex_features=6)


def test_the_authors_files_turn_vertices_into_charts(tmp_path, embedding_network):
    chart, uv, number, matrix = small_body(np.random.default_rng(0))
    assets = write_assets(tmp_path / "assets", chart, uv, number, matrix)
    photo = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    boxes = [[5, 5, 40, 45], [0, 0, 70, 50]]
    plain = Predictor(embedding_network, device="cpu")(photo, boxes)
    people = Predictor(embedding_network, device="cpu", assets=assets)(photo, boxes)
    for one, without in zip(people, plain, strict=True):
        vertex = one.embedding.vertex_in_photo((50, 70))
        np.testing.assert_array_equal(vertex, without.embedding.vertex_in_photo((50, 70)))
        assert not without.iuv.i.any() and len(np.unique(vertex)) > 10
        for y, x in [(6, 6), (20, 30), (44, 39), (49, 69)]:
            said = one.iuv.i[y, x], one.iuv.u[y, x], one.iuv.v[y, x]
            if vertex[y, x] < 0:
                assert said == (0, 0, 0)
                continue
            copy = list(number).index(vertex[y, x] + 1)
            assert said == (chart[copy], *uv[copy].astype(np.float32))
        np.testing.assert_array_equal(one.iuv.i > 0, vertex >= 0)


def test_files_of_an_embedding_network(tmp_path, embedding_network):
    assets = write_assets(tmp_path / "assets", *small_body(np.random.default_rng(0)))
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)).save(tmp_path / "p.png")
    for name, charted in ((None, False), (assets, True)):
        out = tmp_path / f"out{charted}"
        summary = predict_files([tmp_path / "p.png"], out, embedding_network, "cpu", 0.0, assets=name)
        assert summary.num_people > 0 and not summary.failures
        with np.load(out / "p.npz") as file:
            assert file["embeddings"].shape == (summary.num_people, 16, 112, 112) and file["mesh"] == "smpl_27554"
            np.testing.assert_array_equal(file["vertex"] >= 0, file["instance"] > 0)
            np.testing.assert_array_equal(file["I"] > 0, (file["vertex"] >= 0) & charted)


def test_assets_that_are_not_the_model_s_are_refused(tmp_path, embedding_network):
    assets = write_assets(tmp_path / "assets", *small_body(np.random.default_rng(0), per_chart=6))
    with pytest.raises(ValueError, match="a mesh of 114 vertices like the model's, got 138 in .*assets"):
        Predictor(embedding_network, assets=assets)
    with pytest.raises(ValueError, match=r"assets serve embedding models \(CSE_...\) only"):
        Predictor(RedPeople(), assets=assets)
    with pytest.raises(FileNotFoundError, match="SMPL_subdiv.mat is not there"):
        Predictor(embedding_network, assets=tmp_path / "gone")


@pytest.fixture
def photos(tmp_path):
    """A folder of three photos, one red person in each."""
    (tmp_path / "photos").mkdir()
    for k in range(3):
        Image.fromarray(photo_with_red((30, 40), (5, 5, 10 + k, 20))).save(tmp_path / "photos" / f"{k}.png")
    return tmp_path / "photos"


def test_photos_that_are_done_are_skipped_until_something_changes(tmp_path, photos):
    out, network = tmp_path / "out", RedPeople()

    def predict(**options):
        before = len(network.calls)
        summary = predict_files([photos], out, model=network, **options)
        assert not summary.failures and summary.num_photos + summary.num_skipped == 3
        assert summary.num_photos == len(network.calls) - before
        return summary.num_photos

    assert predict() == 3
    assert predict() == 0
    assert predict(again=True) == 3
    Image.fromarray(photo_with_red((30, 40))).save(photos / "1.png")
    assert predict() == 1, "one photo has changed"
    (out / "2.npz").unlink()
    assert predict() == 1, "one file is gone"
    assert predict(formats="npz,iuv-png") == 3 and predict(formats="iuv-png") == 0 and predict() == 0
    assert predict(min_score=0.01) == 3, "another setting"
    assert predict(min_score=0.01, person="1") == 3
    Image.fromarray(photo_with_red((30, 40))).save(photos / "3.png")
    assert predict_files([photos], out, model=network, min_score=0.01, person="1").num_photos == 1


def test_photos_without_the_person_who_was_asked_for_are_counted(tmp_path, photos):
    network = RedPeople()
    found = [len(Predictor(network)(read_photo(path))) for path in sorted(photos.glob("*.png"))]
    assert max(found) == 1, "nobody is a second person"
    for person, without in (("1", found.count(0)), ("2", len(found)), ("largest", 0), (None, 0)):
        summary = predict_files([photos], tmp_path / f"out {person}", model=network, person=person)
        assert (summary.num_photos, summary.num_without) == (len(found), without)


def test_a_run_that_was_interrupted_goes_on_where_it_was(tmp_path, photos):
    class Interrupted(RedPeople):
        def find(self, images_rgb, min_score):
            if len(self.calls) == 1:
                raise KeyboardInterrupt
            return super().find(images_rgb, min_score)

    Interrupted.__name__ = RedPeople.__name__
    out, formats = tmp_path / "out", "npz,coco"
    with pytest.raises(KeyboardInterrupt):
        predict_files([photos], out, model=Interrupted(), formats=formats)
    with (out / "done.jsonl").open("a") as file:
        file.write('{"photo": "cut o')
    assert not (out / "coco.json").exists()
    summary = predict_files([photos], out, model=RedPeople(), formats=formats)
    assert (summary.num_skipped, summary.num_photos) == (1, 2)
    predict_files([photos], tmp_path / "whole", model=RedPeople(), formats=formats)
    assert (out / "coco.json").read_text() == (tmp_path / "whole" / "coco.json").read_text()
    assert len((out / "coco.json").read_text().splitlines()) == 3 + 2
    assert predict_files([photos], out, model=RedPeople(), formats=formats).num_skipped == 3


def test_nothing_is_loaded_if_all_is_done(tmp_path, photos):
    predict_files([photos], tmp_path / "out", model=RedPeople())
    done = tmp_path / "out" / "done.jsonl"
    done.write_text(done.read_text().replace('"RedPeople"', '"nosuch"'))
    assert predict_files([photos], tmp_path / "out", model="nosuch").num_skipped == 3


def test_every_format_is_written(tmp_path, photos):
    summary = predict_files([photos], tmp_path / "out", model=RedPeople(), formats=",".join(FORMATS), overlay=False)
    assert not summary.failures and all(path.is_file() for path in summary.written)
    assert not list((tmp_path / "out").glob("*.overlay.jpg"))
    people = {
        name: list((tmp_path / "out").rglob(f"*{name}*")) for name in ("cutout", "atlas", "_INDS", "densepose.npy")
    }
    assert {name: len(paths) for name, paths in people.items()} == dict.fromkeys(people, 3)


def test_wrong_choices_are_said_before_anything_is_read(tmp_path, photos):
    for options, says in (({"formats": "nosuch"}, "there is no format"), ({"person": "tall"}, "a person must be"),
                          ({"min_confidence": 2}, "min_confidence must lie")):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            predict_files([photos], tmp_path / "out", model=RedPeople(), **options)
    assert not (tmp_path / "out").exists()
