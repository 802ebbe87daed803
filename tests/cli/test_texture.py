"""The verbs `texture`, `transfer`, `view` and `fit`: what they hand over. tests/texture/test_photos.py and
tests/fit/test_photos.py have what they do."""

import pytest
from tests.cli.running import assert_one_sentence, run

from opendensepose import predict
from opendensepose.fit import photos as fit_photos
from opendensepose.texture import photos as texture_photos


def test_options_arrive(tmp_path, monkeypatch):
    got, asked = [], []
    monkeypatch.setattr(texture_photos, "make_texture", lambda photos, out: got.append(photos) or [out / "map.png"])
    monkeypatch.setattr(
        predict, "Predictor", lambda *options: asked.append(options) or (lambda image_rgb: ["somebody"])
    )
    options = ("--person", "2", "--model", "fcn", "--device", "cpu")
    result = run("texture", "--example", "--out", tmp_path / "new", *options)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(tmp_path / "new" / "map.png")]
    (photos,) = got
    assert photos.person == "2" and [path.name for path in photos.paths] == ["astronaut.png"]
    assert asked == [], "the network is loaded when it is needed"
    assert photos.label(None) == photos.label(None) == ["somebody"]
    assert asked == [("fcn", "cpu")]


def test_shading_arrives_and_must_be_a_share(tmp_path, monkeypatch):
    got = []
    monkeypatch.setattr(texture_photos, "transfer_texture", lambda *all_: got.append(all_) or [])
    assert run("transfer", "t.png", "--example", "--out", tmp_path, "--shading", "0.25").exit_code == 0
    assert got[0][3] == 0.25 and got[0][1].person == "all"
    assert run("transfer", "t.png", "--example", "--out", tmp_path, "--shading", "3").exit_code == 2


def test_the_page_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(texture_photos, "make_view", lambda photos, out: out)
    assert run("view", "--example", "--out", tmp_path / "page.html").stdout.strip() == str(tmp_path / "page.html")
    assert_one_sentence(run("view", "--out", tmp_path / "page.html"), "no photo was named")


def test_the_focal_length_arrives_and_people_without_a_body_are_named(tmp_path, monkeypatch):
    got = []

    def fit(photos, out, focal, report):
        got.append((photos.person, focal))
        report(photos.paths[0], 2, "a body needs more.")
        return [out / "astronaut.fit.glb"]

    monkeypatch.setattr(fit_photos, "fit_photos", fit)
    result = run("fit", "--example", "--out", tmp_path, "--focal", "700")
    assert result.exit_code == 0 and result.stdout.split() == [str(tmp_path / "astronaut.fit.glb")]
    assert_one_sentence(result, "person 2 in", "a body needs more", code=0)
    assert got == [("all", 700.0)]


@pytest.mark.parametrize("focal", ["0", "-5", "nan"])
def test_a_focal_length_must_be_above_0(tmp_path, focal):
    assert_one_sentence(run("fit", "--example", "--out", tmp_path / "new", "--focal", focal), "--focal must be above 0")
    assert not (tmp_path / "new").exists()
