"""What the verbs with shards take, refuse and print."""

import subprocess
import sys

import pytest
from PIL import Image
from tests.cli.running import assert_one_sentence, run
from tests.red_people import photo_with_red

pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'opendensepose[scale]'")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for k in range(2):
        Image.fromarray(photo_with_red((40, 30), (0, 0, 9, 9 + k))).save(tmp_path / "in" / f"{k}.png")
    return tmp_path / "in"


def test_a_folder_becomes_shards_and_is_skipped_when_done(folder, tmp_path):
    result = run("predict", folder, "--shards", "webdataset", "--out", tmp_path / "out")
    assert result.exit_code == 0 and result.stdout.startswith("photos done: 2, people found: "), result.output
    assert (tmp_path / "out" / "photos" / "00000.tar").is_file()
    result = run("predict", folder, "--shards", "webdataset", "--out", tmp_path / "out")
    assert result.exit_code == 0 and result.stdout == "photos skipped, which were done before: 2\n"
    (folder / "2.png").write_bytes(b"text")
    result = run("predict", folder, "--shards", "webdataset", "--out", tmp_path / "out")
    assert_one_sentence(result, "1 photos could not be labelled", f"{tmp_path / 'out'}/errors says why", code=1)


def test_what_does_not_go_together_is_one_sentence(folder, tmp_path):
    out = tmp_path / "out"
    assert_one_sentence(run("predict", folder, "--out", out, "--workers", "2"), "--workers", "--shards or --ray")
    for name, value in (("--format", "coco"), ("--start", "3"), ("--again", None), ("--example", None)):
        words = [name] if value is None else [name, value]
        assert_one_sentence(run("predict", folder, "--out", out, "--shards", "parquet", *words), name)
    assert_one_sentence(run("predict", folder, "--out", out, "--shards", "csv"), "parquet or webdataset", "csv")
    assert_one_sentence(run("predict", "--out", out, "--shards", "parquet"), "no photo was named")
    assert_one_sentence(run("predict", folder, "--ray", "nobody.invalid:1", "--out", out), "no Ray cluster")
    assert_one_sentence(run("render", "--count", 3, "--seed", 1, "--out", out, "--shard-size", 3), "--shard-size")


def test_photos_and_clips_need_no_torch():
    code = "import sys, opendensepose.scale.command, opendensepose.scale.clips; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
