"""Each format read back says what the network said; a photo that cannot be labelled spoils no other."""

import base64
import zipfile
from io import BytesIO

import cv2
import msgspec
import numpy as np
import pytest
from PIL import Image
from tests.red_people import photo_with_red
from tests.serve.serving import RED_BOX, SIZE_HW, encoded, label_red, red_photo

from opendensepose.data.predictions import load_prediction
from opendensepose.formats import FORMATS, read_labels
from opendensepose.serve.answers import MEDIA_TYPES, ZIP, Answer, Job, Prediction, Refusal, answer_jobs

X0, Y0, X1, Y1 = RED_BOX


def answer(format_="json", content=None, **options) -> Answer:
    (one,) = answer_jobs([Job(content or red_photo(), format_, **options)], label_red, 1_000_000)
    assert isinstance(one, Answer), one
    assert one.media_type == MEDIA_TYPES[format_]
    return one


def red_mask() -> np.ndarray:
    mask = np.zeros(SIZE_HW, bool)
    mask[Y0:Y1, X0:X1] = True
    return mask


def test_json_has_boxes_scores_and_maps():
    found = msgspec.json.decode(answer().content, type=Prediction)
    (person,) = found.people
    assert found.size_hw == SIZE_HW and person.box_xyxy == (0, 0, 60, 40)
    assert person.score == pytest.approx(red_mask().mean(), abs=1e-4)
    assert person.corner_xy == (X0, Y0)
    iuv = np.asarray(Image.open(BytesIO(base64.b64decode(person.iuv_png))))
    assert iuv.shape == (Y1 - Y0, X1 - X0, 3)
    assert (iuv == (2, round(0.25 * 255), round(0.75 * 255))).all()


def test_nobody_is_an_answer():
    found = answer(content=encoded(np.full((30, 30, 3), 90, np.uint8)))
    assert found.num_people == 0 and msgspec.json.decode(found.content) == {"size_hw": [30, 30], "people": []}


def test_every_format_has_a_media_type():
    assert set(MEDIA_TYPES) == {*FORMATS, "json", "overlay", "view"}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_what_predict_writes(name, tmp_path):
    one = answer(name)
    assert one.num_people == 1
    paths = [tmp_path / one.file_name]
    paths[0].write_bytes(one.content)
    if one.media_type == ZIP:
        with zipfile.ZipFile(paths[0]) as archive:
            assert archive.testzip() is None
            archive.extractall(tmp_path / "files")
        paths = sorted((tmp_path / "files").iterdir())
        assert paths
    if FORMATS[name].read is not None:
        (labelled,) = read_labels(paths[-1], name, lambda _: photo_file(tmp_path))
        np.testing.assert_array_equal(labelled.people[0].iuv.i > 0, red_mask())
    elif paths[0].suffix in (".png", ".jpg"):
        assert cv2.imread(str(paths[0])) is not None


def photo_file(folder):
    path = folder / "photo.png"
    path.write_bytes(red_photo())
    return path


def test_the_overlay_is_a_jpeg_of_the_photos_size():
    assert cv2.imdecode(np.frombuffer(answer("overlay").content, np.uint8), 1).shape == (*SIZE_HW, 3)


def test_labels_of_little_confidence_and_other_people_are_left_out(tmp_path):
    assert answer(min_confidence=1.0).num_people == 1
    assert answer(person="2").num_people == 0
    path = tmp_path / "a.npz"
    path.write_bytes(answer("npz", person="largest").content)
    assert len(load_prediction(path).scores) == 1


def test_one_bad_photo_spoils_no_other():
    jobs = [Job(b"no photo"), Job(red_photo()), Job(red_photo()[:80]), Job(red_photo("JPEG"))]
    outcomes = answer_jobs(jobs, label_red, 1_000_000)
    assert [type(one) for one in outcomes] == [Refusal, Answer, Refusal, Answer]
    assert outcomes[0] == Refusal(422, "The photo is not an image that can be read.")
    assert outcomes[2].sentence.startswith("The photo is damaged or cut off")


def test_a_photo_that_fails_in_a_batch_is_tried_alone():
    calls = []

    def label(images):
        calls.append(len(images))
        if len(images) > 1 or images[0].shape[1] == 61:
            raise MemoryError
        return label_red(images)

    large = encoded(photo_with_red((40, 61), RED_BOX))
    outcomes = answer_jobs([Job(red_photo()), Job(large)], label, 1_000_000)
    assert isinstance(outcomes[0], Answer) and "too little memory" in outcomes[1].sentence
    assert calls == [2, 1, 1]


def test_a_fault_of_ours_is_raised():
    def label(images):
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        answer_jobs([Job(red_photo())], label, 1_000_000)


def test_too_many_pixels_are_refused_before_they_are_decoded():
    (outcome,) = answer_jobs([Job(red_photo())], label_red, 2000)
    assert outcome.status == 422 and "60 x 40" in outcome.sentence
