"""The verbs `texture`, `transfer` and `view`: what they hand over; for what they do see tests/test_photo_texture.py."""

from tests.cli.running import assert_one_sentence, run

from opendensepose import photo_texture


def test_options_arrive(tmp_path, monkeypatch):
    got = []
    monkeypatch.setattr(
        photo_texture, "make_texture", lambda photos, out: got.append((photos, out)) or [out / "map.png"]
    )
    result = run(
        "texture", "--example", "--out", tmp_path / "new", "--person", "2", "--model", "fcn", "--device", "cpu"
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(tmp_path / "new" / "map.png")]
    ((photos, out),) = got
    assert (photos.person, photos.model, photos.device, out) == ("2", "fcn", "cpu", tmp_path / "new")
    assert [path.name for path in photos.paths] == ["astronaut.png"]


def test_shading_arrives_and_must_be_a_share(tmp_path, monkeypatch):
    got = []
    monkeypatch.setattr(photo_texture, "transfer_texture", lambda *all_: got.append(all_) or [])
    assert run("transfer", "t.png", "--example", "--out", tmp_path, "--shading", "0.25").exit_code == 0
    assert got[0][3] == 0.25 and got[0][1].person == "all"
    assert run("transfer", "t.png", "--example", "--out", tmp_path, "--shading", "3").exit_code == 2


def test_the_page_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(photo_texture, "make_view", lambda photos, out: out)
    assert run("view", "--example", "--out", tmp_path / "page.html").stdout.strip() == str(tmp_path / "page.html")
    assert_one_sentence(run("view", "--out", tmp_path / "page.html"), "no photo was named")
