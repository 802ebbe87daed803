"""The list of people over HTTP: pages, neighbours, thumbnails that are drawn once, assigning, a poisoned import."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.annotate.fakes import sign_in, square, write_photos

from opendensepose.annotate.server.people import Thumbnails
from opendensepose.annotate.work.photos import PhotoFolder, add_photos


def add_people(client, count: int) -> None:
    boxes = [{"id": k, "image_id": 1 + k % 3, "bbox": [k, 2, 30, 40]} for k in range(count)]
    images = [{"id": 1 + k, "file_name": f"photo{k}.png"} for k in range(3)]
    answer = client.post("/api/import", json={"images": images, "annotations": boxes})
    assert answer.json()["people"] == count, answer.text


def test_people_are_listed_opened_assigned_and_walked(team, store):
    sign_in(team, store, "ann")
    ann = team.get("/api/session").json()["id"]
    sign_in(team, store, "max", "manager")
    add_people(team, 5)
    listed = team.get("/api/people?limit=2&offset=2&sort=photo").json()
    assert listed["total"] == 5 and [row["photo"] for row in listed["rows"]] == ["photo1.png"] * 2
    body = {"person_ids": [2, 3], "annotator_id": ann}
    assert team.post("/api/people/assign", json=body).json() == {"assigned": 2, "refused": []}
    here = team.get(f"/api/people/neighbours?person=2&by={ann}&state=open").json()
    assert (here["at"], here["total"], here["next"]) == (1, 2, {"person_id": 3, "by": ann})
    assert team.post("/api/people/2/open", json={"by": ann}).json()["editable"] is False
    for query in ("limit=0", "limit=1000", "state=king", "sort=name", "offset=-1", "annotator=x", "search=%00"):
        assert team.get(f"/api/people?{query}").status_code == 400, query
    sign_in(team, store, "ann")
    assert team.post("/api/people/2/open").json()["editable"] is True
    assert [row["person_id"] for row in team.get("/api/people").json()["rows"]] == [2, 3]


def finish(team) -> str:
    """Annotates the next person and submits; returns the path of the task."""
    task = team.post("/api/tasks/next").json()
    path = f"/api/tasks/{task['id']}"
    team.put(f"{path}/parts", json={"version": 1, "parts": {"1": square(100, 200)}})
    asked = team.post(f"{path}/points", json={"version": 2}).json()
    for k, point in enumerate(asked["points"]):
        body = {"version": asked["version"] + k, "click": {"view": 0, "x": 10.0 * k + 5, "y": 5}}
        assert team.put(f"{path}/points/{point['id']}", json=body).status_code == 200
    assert team.post(f"{path}/submit").json()["status"] == "submitted"
    return path


def test_a_submission_is_reopened_until_a_reviewer_looks_and_by_managers_after_that(team, store):
    sign_in(team, store, "max", "manager")
    add_people(team, 1)
    sign_in(team, store, "ann")
    path = finish(team)
    assert team.post(f"{path}/reopen").json()["editable"] is True
    assert team.post(f"{path}/submit").status_code == 200
    sign_in(team, store, "rita", "reviewer")
    assert team.get("/api/review/next").json()["person_id"] == 1
    sign_in(team, store, "ann")
    refused = team.post(f"{path}/reopen")
    assert refused.status_code == 409 and "reviewer is looking" in refused.json()["error"]
    sign_in(team, store, "rita", "reviewer")
    assert team.post(f"{path}/accept").json()["status"] == "accepted"
    sign_in(team, store, "max", "manager")
    assert team.post(f"{path}/reopen").json()["status"] == "sent_back"
    sign_in(team, store, "ann")
    assert team.post("/api/tasks/next").json()["editable"] is True


def test_work_goes_out_with_its_comments_and_comes_back_unless_somebody_works_on_it(team, store):
    """Export of all work, import as done, update: by the options of the addresses."""
    sign_in(team, store, "max", "manager")
    add_people(team, 2)
    sign_in(team, store, "ann")
    path = finish(team)
    skipped = team.post("/api/tasks/next").json()["id"]
    assert team.post(f"/api/tasks/{skipped}/skip", json={"reason": "too dark"}).status_code == 200
    sign_in(team, store, "rita", "reviewer")
    assert team.post(f"{path}/send_back", json={"comments": [{"text": "too high"}]}).status_code == 200
    sign_in(team, store, "max", "manager")
    assert team.get("/api/export.json").json()["annotations"] == []
    document = team.get("/api/export.json?all=1").json()
    (entry,) = document["annotations"]
    assert (entry["status"], entry["annotator"], entry["comments"][0]["text"]) == ("sent_back", "ann", "too high")
    assert document["dp_skipped"][0]["reason"] == "too dark"
    listed = team.get("/api/people?search=dark").json()["rows"]
    assert [(row["status"], row["skip_reason"]) for row in listed] == [("skipped", "too dark")]
    assert team.post("/api/import?done=1&update=1", json=document).json()["begun"] == 2
    entry["bbox"] = [5, 5, 30, 30]  # somebody new, with finished work
    counts = team.post("/api/import?done=1", json={**document, "dp_skipped": []}).json()
    assert (counts["people"], counts["done"], counts["problems"]) == (1, 1, [])
    entry["dp_x"] = [value + 1 for value in entry["dp_x"]]
    assert team.post("/api/import?done=1", json={**document, "dp_skipped": []}).json()["known"] == 1
    assert team.post("/api/import?done=1&update=1", json={**document, "dp_skipped": []}).json()["updated"] == 1
    third = max(team.get("/api/export.json?all=1").json()["annotations"], key=lambda one: one["id"])
    assert third["dp_x"] == pytest.approx(entry["dp_x"], abs=0.2) and third["comments"][0]["text"] == "too high"


def test_an_imported_file_stops_nobody(team, store):
    """A NUL in a reason, a number for a list: told as problems, and the next person is given to everybody."""
    sign_in(team, store, "max", "manager")
    entry = {"id": 1, "image_id": 1, "bbox": [1, 2, 30, 40]}
    bad = ([{"x": 9, "y": 9, "part": 1, "reason": "a\0b"}], 5, {"x": 1}, [7], "text")
    entries = [{**entry, "id": k, "dp_unanswered": value} for k, value in enumerate(bad)]
    document = {"images": [{"id": 1, "file_name": "photo0.png"}], "annotations": [*entries, {**entry, "id": 99}]}
    answer = team.post("/api/import", json=document).json()
    assert answer["people"] == 1 and len(answer["problems"]) == len(bad)
    sign_in(team, store, "ann")
    assert team.post("/api/tasks/next").status_code == 200


def test_thumbnails_are_drawn_once_and_shown_to_those_who_may_see_the_person(team, store, folder, monkeypatch):
    sign_in(team, store, "max", "manager")
    add_people(team, 2)
    drawn = []
    draw = PhotoFolder.thumbnail
    monkeypatch.setattr(PhotoFolder, "thumbnail", lambda *call: drawn.append(call) or draw(*call))
    for _ in range(2):
        answer = team.get("/api/people/1/thumbnail.jpg")
        assert answer.headers["content-type"] == "image/jpeg" and "immutable" in answer.headers["cache-control"]
    assert len(drawn) == 1
    assert team.get("/api/people/99/thumbnail.jpg").status_code == 404
    sign_in(team, store, "ann")
    person = team.post("/api/tasks/next").json()["person_id"]
    assert team.get(f"/api/people/{person}/thumbnail.jpg").status_code == 200
    assert team.get(f"/api/people/{3 - person}/thumbnail.jpg").status_code == 404


def test_the_oldest_thumbnails_are_forgotten():
    class Folder:
        asked = 0

        def thumbnail(self, photo_id, box_xyxy):
            self.asked += 1
            return b"%d" % photo_id

    folder = Folder()
    thumbnails = Thumbnails(folder, most=2)
    for photo_id in (1, 2, 1, 3, 1, 2):
        assert thumbnails.jpeg(photo_id, (0, 0, 1, 1)) == b"%d" % photo_id
    assert folder.asked == 4  # 1, 2, 3, and 2 again


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_a_thumbnail_is_the_box_of_the_upright_photo(store, tmp_path, orientation):
    """The upper left quarter of the photo as it is seen is white; the file lies on its side, and is large."""
    upright = np.zeros((1200, 800, 3), np.uint8)
    upright[:600, :400] = 255
    turns = {1: 0, 6: 1, 8: -1}[orientation]  # 6: the viewer turns the file by 90 degrees clockwise
    exif = Image.Exif()
    exif[0x0112] = orientation
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(np.rot90(upright, turns)).save(folder / "a.jpg", exif=exif, quality=95)
    write_photos(folder, 1)
    add_photos(store, folder)
    files = PhotoFolder(store, folder)
    for box, is_white in (((20, 30, 380, 570), True), ((420, 30, 780, 570), False), ((20, 630, 380, 1170), False)):
        with Image.open(BytesIO(files.thumbnail(1, box))) as picture:
            assert max(picture.size) == 96 and abs(picture.width / picture.height - 360 / 540) < 0.03
            assert (np.asarray(picture).mean() > 250) == is_white
