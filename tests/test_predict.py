"""From photo to people, with networks that read the answer off the photo's colours, so that places can be checked
exactly."""

import numpy as np
import pytest
import torch
from PIL import Image
from tests.hostile import memory_limit

from opendensepose import predict
from opendensepose.models.checkpoint import save_checkpoint
from opendensepose.models.dense_head import DenseOutput
from opendensepose.models.detection_head import DetectionOutput, cell_centres
from opendensepose.models.zoo import build_model
from opendensepose.predict import PredictionSummary, Predictor, framing_region, predict_files, read_region


class ColourReader(torch.nn.Module):
    """Red 250 is a person, front of the torso; green is U, blue is V (in 250ths). Each person's box is told
    beforehand."""

    look_hw, glance_side = (96, 72), 128

    def __init__(self, boxes_xyxy=(), photo_side=1):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.boxes, self.scale = torch.tensor(boxes_xyxy).reshape(-1, 4), self.glance_side / photo_side
        self.looks = 0

    def glance(self, image):
        h, w = (side // 8 for side in image.shape[-2:])
        centres, heat = cell_centres((h, w)), torch.full((1, h, w), -9.0)
        boxes = torch.zeros(1, h, w, 4)
        for k, box in enumerate(self.boxes * self.scale):
            nearest = (centres - (box[:2] + box[2:]) / 2).square().sum(-1).argmin()
            heat.view(-1)[nearest], boxes.view(-1, 4)[nearest] = 2.0 - k, box
        return DetectionOutput(heat, boxes)

    def look(self, image):
        self.looks += 1
        small = torch.nn.functional.avg_pool2d(image.float(), 2)
        person = small[:, 0] > 200
        logits = torch.full((len(image), 25, *small.shape[-2:]), -20.0)
        logits[:, 2] = person * 10.0
        logits[:, 0] = ~person * 10.0
        smaller = torch.nn.functional.avg_pool2d(small, 2) / 250
        u, v = (smaller[:, c : c + 1].expand(-1, 24, -1, -1) for c in (1, 2))
        return DenseOutput(logits, u, v, torch.where(person, 4.0, -4.0), torch.full((len(image),), 4.0))


def photo_of_boxes(size_hw, *boxes):
    image = np.full((*size_hw, 3), 60, np.uint8)
    for x0, y0, x1, y1 in boxes:
        image[y0:y1, x0:x1, 0] = 250
        image[y0:y1, x0:x1, 1] = (250 * (np.arange(y0, y1) - y0 + 0.5) / (y1 - y0))[:, None]
        image[y0:y1, x0:x1, 2] = 125
    return image


BOXES = [(40, 20, 100, 180), (180, 90, 260, 200)]


@pytest.mark.parametrize("refine", [False, True])
def test_labels_land_where_the_person_is(refine):
    image = photo_of_boxes((240, 320), *BOXES)
    people = Predictor(ColourReader(np.float32(BOXES), 320), mirrored=False, refine=refine)(image)
    for person, heat in zip(people, (0.881, 0.731), strict=True):  # sigmoid of 2 and of 1
        assert person.score == pytest.approx((heat * 0.982) ** 0.5, abs=1e-3)  # quality: sigmoid of 4
    for person, (x0, y0, x1, y1) in zip(people, BOXES, strict=True):
        np.testing.assert_allclose(person.box_xyxy, (x0, y0, x1, y1), atol=3)  # half a cell
        inside = np.zeros((240, 320), bool)
        inside[y0:y1, x0:x1] = True
        found = person.iuv.i == 2
        near = np.zeros_like(inside)
        near[y0 - 9 : y1 + 9, x0 - 9 : x1 + 9] = True  # the crop shows more than the person, but not the other
        assert (found & inside).sum() / (found | inside).sum() > 0.9  # a cell is up to 5 pixels large
        assert not found[~near].any()
        rows = (np.arange(y0, y1) - y0 + 0.5) / (y1 - y0)
        assert np.abs(person.iuv.u[y0 + 14 : y1 - 14, (x0 + x1) // 2] - rows[14:-14]).max() < 0.02
        assert person.confidence[found].min() > 0.4 and not person.confidence[~found].any()


def test_a_mirror_agrees_with_a_picture_that_is_its_own_mirror_image():
    """V of the torso turns to 1 - V in a mirror; at V = 0.5 nothing changes."""
    image = photo_of_boxes((120, 120), (40, 20, 80, 100))
    boxes = np.float32([[40, 20, 80, 100]])
    alone = Predictor(ColourReader(), mirrored=False, refine=False)(image, boxes=boxes)[0]
    both = Predictor(ColourReader(), mirrored=True, refine=False)(image, boxes=boxes)[0]
    np.testing.assert_array_equal(alone.iuv.i, both.iuv.i)
    middle = np.s_[30:90, 50:70]
    np.testing.assert_allclose(both.iuv.v[middle], 0.5, atol=1e-3)
    np.testing.assert_allclose(both.iuv.u[middle], alone.iuv.u[middle], atol=2e-3)


def test_crumbs_are_dropped_and_pieces_stay():
    """A person in two pieces, one behind the other's arm, say, and a spot that is nobody's."""
    image = photo_of_boxes((240, 320), (80, 40, 160, 170), (80, 180, 160, 200), (180, 60, 188, 68))
    predictor = Predictor(ColourReader(), mirrored=False, refine=False)
    person = predictor(image, boxes=[[70, 30, 200, 210]])[0].iuv.i > 0
    assert person[100, 120] and person[190, 120]
    assert not person[:, 172:].any()


def test_given_boxes_are_labelled_without_a_search():
    image, reader = photo_of_boxes((240, 320), *BOXES), ColourReader()
    reader.glance = None
    people = Predictor(reader)(image, boxes=[[170, 80, 270, 210]])
    assert len(people) == 1 and people[0].score > 0.95
    assert people[0].iuv.i[150, 220] == 2 and not people[0].iuv.i[:, :110].any()
    assert Predictor(reader)(image, boxes=[]) == []


def test_where_nobody_is_nobody_is_found():
    image = photo_of_boxes((100, 150))
    assert Predictor(ColourReader())(image) == []
    assert Predictor(ColourReader(np.float32([[20, 20, 60, 90]]), 150))(image) == []  # found, but nothing to label


def test_people_cut_by_the_frame_and_tiny_photos():
    image = photo_of_boxes((64, 48), (0, 0, 48, 64))
    person = Predictor(ColourReader(), mirrored=False)(image, boxes=[[-20, -20, 80, 90]])[0]
    assert (person.iuv.i == 2).mean() > 0.95
    assert person.box_xyxy.tolist() == [0, 0, 48, 64]
    torch.manual_seed(0)
    network = build_model("glance_look", widths=(4, 4, 4, 4), depths=(0, 0, 0, 0), look_hw=(48, 24), glance_side=64)
    for size in [(1, 1), (1, 90), (300, 2)]:
        for found in Predictor(network, min_score=0.0)(np.zeros((*size, 3), np.uint8)):
            assert found.iuv.size_hw == size


@pytest.mark.parametrize(
    ("image", "boxes", "says"),
    [
        (np.zeros((4, 4), np.uint8), None, "RGB array of uint8"),
        (np.zeros((4, 4, 3)), None, "float64"),
        (np.zeros((0, 4, 3), np.uint8), None, "shape"),
        (np.zeros((4, 4, 3), np.uint8), [[0, 0, 1]], "boxes must be"),
        (np.zeros((4, 4, 3), np.uint8), [[0, 0, np.nan, 1]], "finite"),
        (np.zeros((4, 4, 3), np.uint8), [[2, 0, 1, 1]], "x0 < x1"),
        (np.zeros((4, 4, 3), np.uint8), [[9, 9, 12, 12]], "reach into"),
    ],
)
def test_wrong_input_is_said(image, boxes, says):
    with pytest.raises(ValueError, match=says):
        Predictor(ColourReader())(image, boxes)


def test_wrong_settings_are_said(tmp_path):
    with pytest.raises(ValueError, match="known models: default"):
        Predictor("nosuch")
    with pytest.raises(ValueError, match="min_score"):
        Predictor(ColourReader(), min_score=2)
    weights = tmp_path / "tiny.safetensors"
    kwargs = {"widths": (4, 4, 4, 4), "depths": (0, 0, 0, 0)}
    save_checkpoint(weights, build_model("glance_look", **kwargs), "glance_look", kwargs)
    with pytest.raises(ValueError, match="device 'nosuch'"):
        Predictor(weights, device="nosuch")
    assert Predictor(weights, device="cpu").model.look_hw == (192, 144)


def test_framing_region_by_hand():
    assert framing_region(np.float32([10, 20, 30, 60]), aspect=0.5, padding=0.25) == (5, 10, 35, 70)
    assert framing_region(np.float32([10, 20, 30, 60]), aspect=2.0, padding=0.0) == (-20, 20, 60, 60)
    assert framing_region(np.float32([10, 20, 30, 60]), aspect=0.25, padding=0.0) == (10, 0, 30, 80)


def test_read_region_fills_with_grey_outside():
    image = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    region = read_region(image, (-2, -1, 6, 5), (6, 8))
    np.testing.assert_array_equal(region[1:5, 2:7], image)
    region[1:5, 2:7] = 127
    assert (region == 127).all()
    assert (read_region(image, (9, 9, 12, 12), (3, 3)) == 127).all()
    np.testing.assert_array_equal(
        read_region(image[:, :4], (0, 0, 4, 4), (1, 1))[0, 0], image[:, :4].mean((0, 1)).round()
    )


def test_files_are_written_and_bad_ones_reported(tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    Image.fromarray(photo_of_boxes((120, 160), (50, 20, 90, 110))).save(photos / "good.png")
    Image.fromarray(photo_of_boxes((30, 40))).save(photos / "nobody.jpg")
    (photos / "bad.jpg").write_bytes(b"nothing")
    seen = []
    reader = ColourReader(np.float32([[50, 20, 90, 110]]), 160)
    summary = predict_files(
        [photos], out, model=reader, on_photo=lambda done, of, path: seen.append((done, of, path.name))
    )
    assert seen == [(1, 3, "bad.jpg"), (2, 3, "good.png"), (3, 3, "nobody.jpg")]
    assert [p.name for p in summary.written] == ["good.npz", "nobody.npz"]
    assert list(summary.failures) == [photos / "bad.jpg"] and summary.exit_code == 1 and summary.num_people == 1
    assert {p.name for p in out.iterdir()} == {f"{s}.{e}" for s in ("good", "nobody") for e in ("npz", "overlay.jpg")}
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
            }
        np.testing.assert_array_equal(good["instance"] > 0, good["I"] > 0)
        assert good["I"][60, 70] == 2
    with Image.open(out / "good.overlay.jpg") as overlay:
        assert overlay.size == (160, 120)


def test_exit_codes():
    assert PredictionSummary().exit_code == 0
    assert PredictionSummary(failures={"a": "bad"}).exit_code == 2
    assert PredictionSummary(written=["b"], failures={"a": "bad"}).exit_code == 1


def test_what_stops_a_batch_before_it_starts(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(photo_of_boxes((8, 8))).save(tmp_path / name / "same.png")
    with pytest.raises(ValueError, match="both be written as same.npz"):
        predict_files([tmp_path / "a", tmp_path / "b"], tmp_path / "out", model=ColourReader())
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="output folder .* cannot be written"):
        predict_files([tmp_path / "a"], tmp_path / "file", model=ColourReader())


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(file, **maps):
        file.write(b"half")
        raise OSError("no space left on device")

    Image.fromarray(photo_of_boxes((8, 8))).save(tmp_path / "p.png")
    monkeypatch.setattr(predict.np, "savez_compressed", full)
    summary = predict_files([tmp_path / "p.png"], tmp_path / "out", model=ColourReader())
    assert summary.exit_code == 2 and "no space" in summary.failures[tmp_path / "p.png"]
    assert not list((tmp_path / "out").iterdir())


def test_extreme_shapes_are_refused_and_the_other_photos_done(tmp_path):
    Image.fromarray(photo_of_boxes((30, 40))).save(tmp_path / "good.png")
    for name, size_wh in {"long": (70_000, 10), "tall": (1, 1_000_000)}.items():
        Image.new("L", size_wh).save(tmp_path / f"{name}.png")
    out = tmp_path / "out"
    summary = predict_files([tmp_path], out, model=ColourReader())
    assert [path.name for path in summary.failures] == ["long.png", "tall.png"] and summary.exit_code == 1
    assert all("must be at most 20 times the shorter" in sentence for sentence in summary.failures.values())
    assert {path.name for path in out.iterdir()} == {"good.npz", "good.overlay.jpg"}
    with pytest.raises(ValueError, match="got 70000 x 10 pixels"):
        Predictor(ColourReader())(np.zeros((10, 70_000, 3), np.uint8))


@pytest.mark.parametrize(
    ("error", "says"), [(predict.cv2.error("no"), "OpenCV says"), (MemoryError(), "there is too little memory")]
)
def test_what_opencv_throws_and_want_of_memory_are_of_one_photo(tmp_path, error, says):
    class Thrower(ColourReader):
        def glance(self, image):
            if image.shape[-1] > image.shape[-2]:
                raise error
            return super().glance(image)

    Image.fromarray(photo_of_boxes((40, 20))).save(tmp_path / "good.png")
    Image.fromarray(photo_of_boxes((20, 40))).save(tmp_path / "bad.png")
    summary = predict_files([tmp_path], tmp_path / "out", model=Thrower())
    assert [path.name for path in summary.written] == ["good.npz"]
    assert says in summary.failures[tmp_path / "bad.png"] and "\n" not in summary.failures[tmp_path / "bad.png"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"good.npz", "good.overlay.jpg"}


def test_a_region_far_beyond_the_photo_is_read_with_bounded_memory(monkeypatch):
    rows = np.linspace(0, 250, 240).astype(np.uint8)
    image = np.repeat(np.repeat(rows[:, None, None], 400, 1), 3, 2)
    region = (-200, -300, 600, 500)
    exact = read_region(image, region, (40, 40)).astype(int)
    monkeypatch.setattr(predict, "MAX_REGION_PIXELS", 800 * 800 // 16)
    coarse = read_region(image, region, (40, 40)).astype(int)
    inside = (slice(16, 26), slice(11, 29))  # off the photo's edge
    assert abs(coarse - exact)[inside].max() <= 6  # a step of five pixels is 5 grey values
    monkeypatch.undo()
    with memory_limit(2 << 30):
        assert read_region(image, (-200_000, -200_000, 200_000, 200_000), (40, 40)).shape == (40, 40, 3)


def test_a_crop_labeller_predicts_nobody():
    labeller = build_model("crop_labeller", side=64, depth=18, width=8, channels=32)
    with pytest.raises(ValueError, match="a crop labeller is trained for its ResNet"):
        Predictor(labeller)


def test_whose_labels_are_better_comes_before_who_is_found_more_surely():
    """The second box is found with less heat, but the network predicts a low quality for the first."""

    class Doubtful(ColourReader):
        def look(self, image):
            output = super().look(image)
            is_blue = (image[:, 2] > 180).any(-1).any(-1)
            return output._replace(quality_logit=torch.where(is_blue, -2.0, output.quality_logit))

    image = photo_of_boxes((240, 320), *BOXES)
    x0, y0, x1, y1 = BOXES[0]
    image[y0:y1, x0:x1, 2] = 240
    found = Predictor(Doubtful(np.float32(BOXES), 320), min_score=0.2)(image)
    np.testing.assert_allclose([person.box_xyxy for person in found], BOXES[::-1], atol=3)
    assert found[1].score < 0.5 < found[0].score
    assert len(Predictor(Doubtful(np.float32(BOXES), 320), min_score=0.5)(image)) == 1


def test_the_model_s_own_score_counts_unless_another_is_given():
    network = ColourReader(np.float32(BOXES), 320)
    network.min_score = 0.87
    image = photo_of_boxes((240, 320), *BOXES)
    assert len(Predictor(network)(image)) == 1 and Predictor(network).min_score == 0.87
    assert len(Predictor(network, min_score=0.3)(image)) == 2
    assert Predictor(ColourReader()).min_score == 0.5


def test_a_second_glance_finds_who_the_first_misses_and_nobody_twice():
    class TwoScales(ColourReader):
        near_glance_side = 64

        def glance(self, image):
            self.scale = max(image.shape[-2:]) / 320
            seen, self.boxes = self.boxes, self.boxes[:1] if self.scale < 0.3 else self.boxes  # nearby: the first only
            output = super().glance(image)
            self.boxes = seen
            return output

    image = photo_of_boxes((240, 320), *BOXES)
    people = Predictor(TwoScales(np.float32(BOXES), 320))(image)
    assert len(people) == 2
    for person, box in zip(people, BOXES, strict=True):
        np.testing.assert_allclose(person.box_xyxy, box, atol=3)
