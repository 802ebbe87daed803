"""The command itself: version, help, and how errors end it."""

import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from tests.cli.running import assert_one_sentence, run

from opendensepose.cli.app import EXTRA_OF_VERB, missing_extra


def test_version_is_the_installed_one():
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.strip() == f"opendensepose {metadata.version('opendensepose')}"


def test_help_names_every_verb():
    result = run("--help")
    assert result.exit_code == 0
    for verb in ("predict", "train", "render", "surface", "data", "show"):
        assert verb in result.stdout


def test_an_unknown_option_ends_with_2():
    assert run("render", "--nonsense").exit_code == 2


def test_an_error_of_the_operating_system_names_the_file_and_the_reason(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert_one_sentence(run("surface", "--out", tmp_path / "file"), tmp_path / "file", "File exists")


def test_the_traceback_is_shown_when_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENDENSEPOSE_TRACEBACK", "1")
    assert isinstance(run("predict", "--out", tmp_path).exception, ValueError)


def test_a_real_process_ends_with_2_and_one_line(tmp_path):
    command = [sys.executable, "-m", "opendensepose", "render", "--count", "1", "--seed", "0", "--size", "wide"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1


# As after an installation without extras: what they bring cannot be imported.
WITHOUT_EXTRAS = """
import json, sys
from typer.testing import CliRunner

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in NAMES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

NAMES = set(sys.argv[1].split())
sys.meta_path.insert(0, Missing())
from opendensepose.cli import app
said = {}
for line in json.loads(sys.argv[2]):
    done = CliRunner().invoke(app, line.split())
    said[line] = [done.exit_code, done.stderr]
import numpy as np
from opendensepose import load_charts
from opendensepose.visualize.surface import save_surface_pictures
done = CliRunner().invoke(app, ["predict", "--example", "--out", sys.argv[3]])
assert done.exit_code == 0 and "people found: 1" in done.stdout, done.output
load_charts().to_points(np.array([2]), np.array([0.4]), np.array([0.5]))
print(json.dumps(said))
"""


def test_a_verb_without_its_extra_names_it_and_the_base_needs_none(tmp_path):
    names = "anny anyio igl lightning_fabric onnx openvino OpenEXR pycocotools safetensors scipy skimage sklearn"
    names += " sqlalchemy starlette tensorboard torch torchvision"
    extras = {
        f"annotate {tmp_path}": "annotate",
        "annotators a.json truth": "evaluate",
        f"benchmark --out {tmp_path}": "evaluate,render",
        f"distill teacher --data {tmp_path}": "train",
        "evaluate a.json b.json": "evaluate",
        f"export --out {tmp_path}/body.onnx": "export",
        "ingredients": "render",
        f"predict --example --out {tmp_path}/torch --backend torch": "models",
        f"predict --example --out {tmp_path}/openvino --backend openvino": "export",
        f"predict --example --out {tmp_path}/official --model default --device cuda": "models",
        f"render --out {tmp_path} --count 1 --seed 0": "render",
        f"train default --out {tmp_path}": "train",
        f"train rcnn --data {tmp_path} --out {tmp_path}": "train",
    }
    command = [
        sys.executable,
        "-c",
        WITHOUT_EXTRAS,
        f"{names} uvicorn warp",
        json.dumps(list(extras)),
        str(tmp_path / "base"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line, (code, said) in json.loads(done.stdout.splitlines()[-1]).items():
        assert (code, said.count("\n")) == (2, 1), (line, said)
        assert f'pip install "opendensepose[{extras[line]}]"' in said, (line, said)


def test_the_extras_that_verbs_name_are_there():
    project = Path(__file__).parents[2] / "pyproject.toml"
    offered = tomllib.loads(project.read_text())["project"]["optional-dependencies"]
    assert {extra for extras in EXTRA_OF_VERB.values() for extra in extras.split(",")} <= set(offered)
    assert missing_extra("annotate", "warp") == "annotate,render"  # gold people
    assert missing_extra("annotate", "starlette") == "annotate"
    assert missing_extra("predict", "torch") == "models" and missing_extra("predict", "openvino") == "export"
    assert missing_extra("predict", "scipy.io") == "evaluate"  # --assets
    assert missing_extra("show", "torch") is None
    assert missing_extra("predict", "av") == "video"
    assert missing_extra("train", "opendensepose.gone") is None
