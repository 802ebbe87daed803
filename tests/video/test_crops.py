"""Raw output of crops: of DensePoseLite the network's, of the others their labels, which come back when decoded."""

import numpy as np
import pytest
import torch
from tests.red_people import RedPeople, photo_with_red
from tests.video.test_steady import CROP, GRID, person, square

from opendensepose.models.densepose_lite.decode import decode_pixels
from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite
from opendensepose.video.crops import CropLabeller, output_of_labels


def test_labels_put_on_a_grid_are_decoded_to_what_they_were():
    u = np.float32(0.2 + 0.005 * np.indices((96, 128))[1])
    one = person(np.where(np.indices((96, 128))[0] < 50, square(40, 2), square(40, 9)), u)
    output = output_of_labels(one, CROP, GRID)
    x0, y0, x1, y1 = CROP
    rows, columns = (np.arange(y0, y1) + 0.5 - y0) / (y1 - y0), (np.arange(x0, x1) + 0.5 - x0) / (x1 - x0)
    i, of_u, v, confidence = decode_pixels(output, rows, columns)
    there = np.s_[y0:y1, x0:x1]
    assert (i == one.iuv.i[there]).mean() > 0.985
    same = (i == one.iuv.i[there]) & (i > 0)
    np.testing.assert_allclose(of_u[same], one.iuv.u[there][same], atol=0.02)
    np.testing.assert_allclose(v[same], 0.5, atol=1e-3)
    np.testing.assert_allclose(confidence[same], 0.9, atol=0.01)


def test_networks_that_label_boxes_are_asked_for_the_box_inside_the_crop():
    image, network = photo_with_red((96, 128), (40, 20, 70, 60)), RedPeople()
    crops = CropLabeller(network.prepare())
    crop = crops.crop_around(np.float32([40, 20, 70, 60]))
    (output,) = crops.label(image, [crop], [crops.picture(image, crop)])
    ((_, ((box,),)),) = network.calls
    np.testing.assert_allclose([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[3] - box[1]], [55, 40, 40], atol=1)
    assert output.chart_logits.shape == (25, *crops.grid_hw) and (output.chart_logits.argmax(0) == 2).sum() > 1000


def test_a_crop_and_its_mirror_image_get_mirrored_labels():
    torch.manual_seed(0)
    crops = CropLabeller(DensePoseLite(widths=(8, 8, 8, 8), depths=(1, 1, 1, 1), crop_hw=(64, 48)).prepare())
    image = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    mirrored = np.ascontiguousarray(image[:, ::-1])
    one, other = (crops.label(part, [(0, 0, 48, 64)], [part])[0] for part in (image, mirrored))
    np.testing.assert_allclose(one.confidence_logit[:, ::-1], other.confidence_logit, atol=1e-4)
    np.testing.assert_allclose(one.chart_logits[3][:, ::-1], other.chart_logits[4], atol=1e-4)  # right and left hand
    three = crops.label(image, [(0, 0, 48, 64)] * 3, [image] * 3, ["plain", "both", "mirrored"])
    for plain, both, turned, alone in zip(*three, one, strict=True):
        np.testing.assert_allclose((plain + turned) / 2, both, atol=1e-4)
        np.testing.assert_allclose(both, alone, atol=1e-4)


@pytest.mark.parametrize("crop", [(-60, -80, -20, -30), (100, 10, 180, 90)])
def test_crops_that_reach_outside_the_frame(crop):
    crops = CropLabeller(RedPeople().prepare())
    image = photo_with_red((96, 128), (110, 20, 128, 60))
    (output,) = crops.label(image, [crop], [crops.picture(image, crop)])
    assert (output is None) == (crop[0] < 0)
