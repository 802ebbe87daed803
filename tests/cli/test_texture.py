"""The verbs `texture`, `transfer` and `view`: what they hand over. tests/texture/test_photos.py has what they do."""

from tests.cli.running import assert_one_sentence, run

from opendensepose import predict
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
