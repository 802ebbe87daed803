"""The verb `surface`: it prints the paths of what it wrote."""

from tests.cli.running import assert_one_sentence, run

from opendensepose.visualize import surface


def test_it_hands_over_the_folder_and_prints_each_path(tmp_path, monkeypatch):
    monkeypatch.setattr(surface, "save_surface_pictures", lambda out: [out / "charts.png", out / "surface.obj"])
    result = run("surface", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(tmp_path / "charts.png"), str(tmp_path / "surface.obj")]


def test_out_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert_one_sentence(run("surface", "--out", tmp_path / "file"), "file")
