"""The folder of photos: hostile names, broken files, people with boxes."""

from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
import sqlalchemy as sql
from PIL import Image
from tests.annotate.fakes import FlatSurface, write_photos

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.importing import import_document
from opendensepose.annotate.work.photos import NewPerson, PhotoFolder, add_boxes, add_people, add_photos, find_people
from opendensepose.annotate.work.store import people
from opendensepose.annotate.work.store import photos as photo_table


@pytest.fixture
def folder(store, tmp_path):
    folder = write_photos(tmp_path / "photos")
    add_photos(store, folder)
    return PhotoFolder(store, folder)


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/passwd", "a/../../secret.png", "..\\secret.png", "a\0.png", ""]
)
def test_names_do_not_lead_out_of_the_folder(store, folder, tmp_path, name):
    (tmp_path / "secret.png").write_bytes(b"secret")
    with pytest.raises(RequestError):
        folder.path(name)
    entry = {"id": 1, "image_id": 1, "bbox": [0, 0, 30, 30]}
    document = {"images": [{"id": 1, "file_name": name}], "annotations": [entry]}
    assert add_boxes(store, document)[0] == 0
    assert import_document(store, document, FlatSurface().to_points)["people"] == 0


def test_broken_photos_are_listed_and_skipped(store, tmp_path):
    folder = write_photos(tmp_path / "more", 1)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (folder / "empty.png").write_bytes(b"")
    (folder / "page.jpg").write_text("<script>alert(1)</script>")
    added = add_photos(store, folder)
    assert added.num_new == 1 and len(added.problems) == 3
    for name, sentence in zip(("broken.jpg", "empty.png", "page.jpg"), added.problems, strict=True):
        assert name in sentence and sentence.endswith(".")


def test_the_model_searches_a_small_copy_of_a_large_photo(store, tmp_path):
    folder = write_photos(tmp_path / "large", 1, size=(3000, 1500))
    add_photos(store, folder)
    sizes = []

    def predictor(image_rgb):
        sizes.append(image_rgb.shape[:2])
        return [SimpleNamespace(box_xyxy=np.array([100, 50, 300, 400], np.float32))]

    assert find_people(store, PhotoFolder(store, folder), predictor) == 1 and sizes == [(512, 1024)]
    with store.reading() as connection:
        person = connection.execute(sql.select(people)).one()
    scale = 3000 / 1024
    assert [person.x0, person.y0, person.x1, person.y1] == pytest.approx(
        [100 * scale, 50 * scale, 300 * scale, 400 * scale], abs=0.01
    )


def test_photos_that_browsers_may_not_know_are_sent_as_jpeg(store, tmp_path):
    folder = tmp_path / "avif"
    folder.mkdir()
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(folder / "a.avif")
    assert add_photos(store, folder) == (1, [])
    photos = PhotoFolder(store, folder)
    content, media_type = photos.file(1)
    assert media_type == "image/jpeg" and Image.open(BytesIO(content)).size == (60, 40)
    assert Image.open(BytesIO(photos.thumbnail(1, (0, 0, 30, 40)))).format == "JPEG"


def test_people_are_added_once_and_photos_with_people_are_not_searched(store, folder):
    with store.reading() as connection:
        first, second, third = connection.execute(sql.select(photo_table).order_by(photo_table.c.id)).all()
    box = {"x0": 0.0, "y0": 0.0, "x1": 20.0, "y1": 30.0}
    others = {**box, "x1": 25.0}
    assert add_people(store, first, [NewPerson(box), NewPerson(box), NewPerson(others, {"parts": {}})]) == 2
    assert add_people(store, first, [NewPerson(box)]) == 0
    asked = []

    def predictor(image_rgb):
        asked.append(image_rgb[0, 0, 0])
        boxes = [[0, 0, 30, 30], [0, 0, 2, 2]]  # the second is too small
        return [SimpleNamespace(box_xyxy=np.array(one, np.float32)) for one in boxes]

    assert find_people(store, folder, predictor, stop=lambda: len(asked) == 1) == 1  # stopped after a photo
    assert find_people(store, folder, predictor) == 1  # resumed
    assert find_people(store, folder, predictor) == 0 and asked == [40, 80]  # the second and the third photo
    with store.reading() as connection:
        prefills = connection.execute(sql.select(people.c.photo_id).where(people.c.prefill.is_not(None))).all()
    assert [row.photo_id for row in prefills] == [first.id]


def test_boxes_of_photos_that_are_missing_are_named(store, folder):
    images = [{"id": 1, "file_name": "train/photo0.png"}, {"id": 2, "file_name": "nowhere.png"}]
    entries = [{"id": k, "image_id": k, "bbox": [0, 0, 20, 20]} for k in (1, 2)]
    added = add_boxes(store, {"images": images, "annotations": entries})
    assert added.num_new == 1 and len(added.problems) == 1 and "nowhere.png" in added.problems[0]


def test_a_photo_is_sent_unchanged_unless_exif_rotates_it(store, tmp_path):
    (tmp_path / "exif").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees
    exif[0x010F] = "camera"
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / "exif" / "a.jpg", exif=exif)
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / "exif" / "b.png")
    folder = PhotoFolder(store, tmp_path / "exif")
    add_photos(store, tmp_path / "exif")
    with store.reading() as connection:
        ids = dict(connection.execute(sql.select(photo_table.c.name, photo_table.c.id)).all())
    assert folder.file(ids["b.png"]) == ((tmp_path / "exif" / "b.png").read_bytes(), "image/png")
    content, _ = folder.file(ids["a.jpg"])
    with Image.open(BytesIO(content)) as picture:
        assert picture.size == (20, 30) and not picture.getexif()
    assert b"camera" not in content and folder.rgb(ids["a.jpg"]).shape == (30, 20, 3)
