"""The service as a process: started by the command, asked, ended by SIGTERM while it works, refused where others could
reach it."""

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from tests.cli.running import assert_one_sentence, run
from tests.serve.serving import encoded

from opendensepose import example_photo

SOURCE = Path(__file__).parents[2] / "src"


def test_others_cannot_reach_it_by_mistake(monkeypatch):
    monkeypatch.delenv("OPENDENSEPOSE_API_KEYS", raising=False)
    assert_one_sentence(run("serve", "--host", "0.0.0.0", "--port", 0), "0.0.0.0", "--key-file", "--open")
    assert_one_sentence(run("serve", "--allow-host", "a.example", "--port", 0), "a.example")


def test_a_model_that_is_not_there_is_a_sentence():
    assert_one_sentence(run("serve", "--port", 0, "--workers", 1, "--model", "nothing"), "no model called 'nothing'")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_sigterm_lets_what_runs_finish():
    command = [sys.executable, "-m", "opendensepose", "serve", "--port", "0", "--workers", "1", "--deadline", "300"]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        line = server.stdout.readline()
        assert "serving default (onnxruntime, cpu, 1 worker)" in line and "for this machine only" in line
        url = re.search(r"http://[\d.:]+", line).group()
        content, answers = encoded(example_photo()), []

        def ask():
            with urllib.request.urlopen(f"{url}/v1/predict", content, timeout=300) as answer:
                answers.append((answer.status, answer.headers["X-People"]))

        asking = threading.Thread(target=ask)
        asking.start()
        while f"opendensepose_received_bytes_total {float(len(content))}" not in metrics_of(url):
            pass
        server.send_signal(signal.SIGTERM)
        asking.join()
        _, errors = server.communicate(timeout=300)
        assert answers == [(200, "1")] and errors == "" and server.returncode == 0


def metrics_of(url: str) -> str:
    with urllib.request.urlopen(f"{url}/metrics", timeout=300) as answer:
        return answer.read().decode()
