"""The curl lines and the Python client of docs/how_to/serve.md, as they are printed."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.serve.serving import INFO, RED_BOX, SIZE_HW, red_photo, red_runner, serving_at

from opendensepose.serve.app import create_app

PAGE = (Path(__file__).parents[2] / "docs" / "how_to" / "serve.md").read_text()
PRINTED = "http://127.0.0.1:8000"
CURL = [line for line in PAGE.splitlines() if line.startswith("curl ")]


@pytest.fixture(scope="module")
def url():
    with serving_at(create_app([red_runner], INFO)) as url:
        yield url


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_curl_lines_work_as_printed(url, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(red_photo("JPEG", quality=95))
    assert len(CURL) == 7 and all(PRINTED in line for line in CURL)
    answers = []
    for line in CURL:
        command = [*shlex.split(line.replace(PRINTED, url)), "--fail", "--silent", "--show-error"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
        assert done.returncode == 0, (line, done.stderr)
        answers.append(done.stdout)
    assert json.loads(answers[0]) == json.loads(answers[1]) and json.loads(answers[6])["models"]
    assert size_of(tmp_path / "iuv.png") == SIZE_HW[::-1]
    with np.load(tmp_path / "photo.npz") as arrays:
        assert arrays["scores"].shape == (1,)
    assert size_of(tmp_path / "overlay.jpg") == SIZE_HW[::-1]
    assert size_of(tmp_path / "viton.jpg") == (768, 1024)


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_the_python_client_is_short_typed_and_works(url):
    (client,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    body = client[client.index("def ") :].strip().splitlines()
    assert len(body) <= 10 and "->" in body[0] and "photo: bytes" in body[0]
    names: dict = {}
    exec(compile(client, "serve.md", "exec"), names)
    ((score, corner_xy, iuv),) = names["predict"](red_photo(), url)
    assert score == pytest.approx(400 / 2400, abs=1e-3) and corner_xy == RED_BOX[:2]
    assert iuv.shape == (20, 20, 3) and (iuv[..., 0] == 2).all()
