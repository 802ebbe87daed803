"""From photo to people, with networks that read the answer off the photo's colours, so that places can be checked
exactly."""

import cv2
import numpy as np
import pytest
import torch

from opendensepose.models.cells import cell_centres
from opendensepose.models.densepose_lite import prepared
from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite, TorchRuntime
from opendensepose.models.densepose_lite.network import STRIDE
from opendensepose.models.densepose_lite.outputs import PERSON_WEIGHT, DenseOutput, DetectionOutput
from opendensepose.models.densepose_lite.prepared import PreparedDensePoseLite, erase_small_components
from opendensepose.predict import Predictor


class ColourReader(torch.nn.Module):
    """Red 250 is a person, front of the torso; green is U, blue is V (in 250ths). The people's boxes are given
    to it beforehand, and how hot each is. `seen`: the longer sides of photos in which it has detected; `labelled`:
    how many crops at a time."""

    crop_hw = refine_hw = (96, 72)
    detect_sides, min_score = (128,), 0.5

    def __init__(self, boxes_xyxy=(), photo_side=1, heat_logits=(2.0, 1.0)):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.boxes, self.photo_side, self.heat_logits = torch.tensor(boxes_xyxy).reshape(-1, 4), photo_side, heat_logits
        self.seen, self.labelled = [], []

    def prepare(self, mirrored, refine):
        return PreparedDensePoseLite(TorchRuntime(self), mirrored, refine)

    def detect(self, image):
        h, w = (side // 8 for side in image.shape[-2:])
        self.seen.append(max(image.shape[-2:]))
        centres, heat = cell_centres((h, w), STRIDE), torch.full((1, h, w), -9.0)
        boxes = torch.zeros(1, h, w, 4)
        for logit, box in zip(self.heat_logits, self.boxes * self.seen[-1] / self.photo_side, strict=False):
            nearest = (centres - (box[:2] + box[2:]) / 2).square().sum(-1).argmin()
            heat.view(-1)[nearest], boxes.view(-1, 4)[nearest] = logit, box
        return DetectionOutput(heat.expand(len(image), -1, -1), boxes.expand(len(image), -1, -1, -1))

    def label(self, image):
        self.labelled.append(len(image))
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
    people = Predictor(ColourReader(np.float32(BOXES), 320, (0.8, 0.4)), mirrored=False, refine=refine)(image)
    for person, heat in zip(people, (0.690, 0.599), strict=True):  # sigmoids of .8 and .4
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
        # With a share s of person around a pixel, logits are 10 s and 10 (1 - s), the confidence's 4 (2 s - 1): at the
        # edge, where 10 s + log w = 10 (1 - s), that is -0.4 log w.
        at_edge = 1 / (1 + PERSON_WEIGHT**0.4)
        assert person.confidence[found].min() > at_edge - 1e-3 and not person.confidence[~found].any()


@pytest.mark.parametrize(
    ("second_box", "heat_logits", "num_scales"),
    [
        (BOXES[1], (2.0, 1.0), 1),  # two people for sure
        (BOXES[1], (2.0, -2.0), 3),  # a hint of somebody beside a person
        ((42, 25, 70, 80), (2.0, -2.0), 1),  # what may be a person inside one is a part
        (BOXES[1], (-0.5, -9.0), 3),  # nobody for sure
    ],
)
def test_other_scales_are_searched_where_the_first_leaves_a_doubt(monkeypatch, second_box, heat_logits, num_scales):
    monkeypatch.setattr(ColourReader, "detect_sides", (128, 64, 192))
    boxes = np.float32([BOXES[0], second_box])
    predictor = Predictor(ColourReader(boxes, 320, heat_logits), min_score=0.3, mirrored=False)
    photo, again = photo_of_boxes((240, 320), BOXES[0]), photo_of_boxes((240, 320))
    assert [len(people) for people in predictor([photo, again])] == [1, 0]
    assert predictor.network.runtime.model.seen == [128, 64, 192][:num_scales]


def test_a_first_crop_tightens_boxes_that_are_given_or_not_sure():
    image = photo_of_boxes((240, 320), *BOXES)
    predictor = Predictor(ColourReader(np.float32(BOXES), 320, (2.0, 0.4)), mirrored=False)
    assert len(predictor(image)) == 2 and len(predictor(image, boxes=BOXES)) == 2
    assert predictor.network.runtime.model.labelled == [1, 2, 2, 2]


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


def test_small_components_are_dropped_and_large_ones_stay():
    """A person in two pieces, one behind the other's arm, say, and a spot that is nobody's."""
    image = photo_of_boxes((240, 320), (80, 40, 160, 170), (80, 180, 160, 200), (180, 60, 188, 68))
    predictor = Predictor(ColourReader(), mirrored=False, refine=False)
    person = predictor(image, boxes=[[70, 30, 200, 210]])[0].iuv.i > 0
    assert person[100, 120] and person[190, 120]
    assert not person[:, 172:].any()


def test_given_boxes_are_labelled_without_a_search():
    image, reader = photo_of_boxes((240, 320), *BOXES), ColourReader()
    reader.detect = None
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
    network = DensePoseLite(widths=(4, 4, 4, 4), depths=(0, 0, 0, 0), crop_hw=(48, 24), detect_sides=(64, 32))
    for size in [(1, 1), (1, 90), (300, 2)]:
        for found in Predictor(network, min_score=0.0)(np.zeros((*size, 3), np.uint8)):
            assert found.iuv.size_hw == size


def test_small_components_by_hand():
    i = np.zeros((30, 30), np.uint8)
    i[:10, :20], i[20, 20:22], i[25, 0], i[29, 29] = 3, 4, 5, 6  # 200 pixels, 2, 1 and 1
    u = (i > 0).astype(np.float32)
    expected = np.where((i == 3) | (i == 4), i, 0)
    assert erase_small_components(i, u) == (0, 0, 22, 21)
    np.testing.assert_array_equal(i, expected)
    np.testing.assert_array_equal(u, expected > 0)
    assert erase_small_components(np.zeros((3, 3), np.uint8)) == (0, 0, 0, 0)


def test_small_components_by_counting_pixels(monkeypatch):
    """Random shapes without holes, by another route: OpenCV counts the pixels of each component."""
    monkeypatch.setattr(prepared, "MIN_COMPONENT_FRACTION", 0.2)
    random = np.random.default_rng(0)
    for size in ((9, 14), (40, 30)):
        for _ in range(50):
            i = cv2.dilate((random.random(size) < 0.05).astype(np.uint8), np.ones((3, 2), np.uint8))
            _, background = cv2.connectedComponents(np.pad(1 - i, 1, constant_values=1), connectivity=4)
            i[background[1:-1, 1:-1] != background[0, 0]] = 1  # holes filled
            _, component, stats, _ = cv2.connectedComponentsWithStats(i, connectivity=8)
            areas = stats[1:, cv2.CC_STAT_AREA]
            kept = np.r_[False, areas >= 0.2 * areas.max(initial=0)][component]
            x, y, width, height = erase_small_components(i)
            np.testing.assert_array_equal(i > 0, kept)
            assert cv2.boundingRect(kept.astype(np.uint8)) == (x, y, width, height)


def test_crops_of_several_photos_share_a_pass():
    """Twenty people in photos of two sizes: two passes, and each person's labels in its own photo."""

    class Counting(ColourReader):
        passes = []

        def label(self, image):
            self.passes.append(len(image))
            return super().label(image)

    tall, wide = photo_of_boxes((120, 90), (20, 20, 60, 100)), photo_of_boxes((90, 120), (30, 10, 100, 80))
    boxes = [np.float32([[20, 20, 60, 100]] * 12), np.zeros((0, 4), np.float32), np.float32([[30, 10, 100, 80]] * 8)]
    prepared = PreparedDensePoseLite(TorchRuntime(Counting()), mirrored=False, refine=False)
    of_photos = prepared.label([tall, tall, wide], boxes)
    assert Counting.passes == [16, 4]
    assert [len(people) for people in of_photos] == [12, 0, 8]
    for image, people in zip([tall, tall, wide], of_photos, strict=True):
        for person in people:
            found, there = person.iuv.i > 0, image[..., 0] > 200
            assert (found & there).sum() / (found | there).sum() > 0.9


def test_whose_labels_are_better_comes_before_who_is_found_more_surely():
    """The second box is found with less heat, but the network predicts a low quality for the first."""

    class Doubtful(ColourReader):
        def label(self, image):
            output = super().label(image)
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


def test_a_second_scale_finds_who_the_first_misses_and_nobody_twice():
    class TwoScales(ColourReader):
        detect_sides = (128, 64)

        def detect(self, image):
            self.scale = max(image.shape[-2:]) / 320
            seen, self.boxes = self.boxes, self.boxes[:1] if self.scale < 0.3 else self.boxes  # nearby: the first only
            output = super().detect(image)
            self.boxes = seen
            return output

    image = photo_of_boxes((240, 320), *BOXES)
    people = Predictor(TwoScales(np.float32(BOXES), 320))(image)
    assert len(people) == 2
    for person, box in zip(people, BOXES, strict=True):
        np.testing.assert_allclose(person.box_xyxy, box, atol=3)


def test_a_large_photo_is_searched_in_a_smaller_copy_and_boxes_are_in_its_own_pixels():
    boxes = [tuple(5 * edge for edge in box) for box in BOXES]
    image = photo_of_boxes((1203, 1601), *boxes)  # 1601 is no multiple of the step, 6
    people = Predictor(ColourReader(np.float32(boxes), 1601), mirrored=False)(image)
    for person, box in zip(people, boxes, strict=True):
        np.testing.assert_allclose(person.box_xyxy, box, atol=12)  # a cell of 1601 / 128 pixels


def test_labels_are_the_same_whether_read_from_a_large_photo_or_from_its_smaller_copy(monkeypatch):
    box = (301, 55, 799, 1150)
    image = photo_of_boxes((1203, 1601), box)
    image[..., 1] = np.linspace(0, 250, 1203)[:, None]  # U of a row
    heights, cut = [], prepared.crop_and_resize

    def noted(image_rgb, crop, size_hw):
        heights.append(image_rgb.shape[0])
        return cut(image_rgb, crop, size_hw)

    monkeypatch.setattr(prepared, "crop_and_resize", noted)
    predictor = Predictor(ColourReader(), refine=False, mirrored=False)
    people = []
    for enough in (prepared.ENOUGH, 100):
        monkeypatch.setattr(prepared, "ENOUGH", enough)
        people += predictor(image, boxes=np.float32([box]))
    copy, whole = people
    assert heights == [201, 1203]
    cell = 4 / 96 * 1.28 * (box[3] - box[1]) / 1202  # of U: 4 rows of a crop that is .28 higher than the box
    u, row = copy.iuv.u[copy.mask], np.nonzero(copy.mask)[0]
    assert np.abs(u - row / 1202).max() < cell / 3
    assert (copy.mask == whole.mask).mean() > 0.995
    both = copy.mask & whole.mask
    assert np.abs(copy.iuv.u - whole.iuv.u)[both].max() < cell / 5


def test_who_cannot_reach_the_least_score_is_labelled_only_once():
    class Counting(ColourReader):
        refine_hw = (64, 48)
        passes = []

        def label(self, image):
            self.passes.append(tuple(image.shape[::3]) + tuple(image.shape[2:3]))
            output = super().label(image)
            return output._replace(quality_logit=torch.full((len(image),), -4.0))

    image = photo_of_boxes((240, 320), *BOXES)
    network = Counting(np.float32(BOXES), 320, (0.8, 0.4))
    assert Predictor(network, min_score=0.5)(image) == []
    assert [height for _, _, height in Counting.passes] == [64]
    assert len(Predictor(network, min_score=0.05)(image)) == 2
