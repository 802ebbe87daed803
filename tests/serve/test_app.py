"""The endpoints: answers, errors in one sentence, 429 when there is no place, nothing kept."""

import asyncio
import base64
import threading
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.serve.serving import RED_BOX, client_of, red_photo, red_runner

from opendensepose.formats import FORMATS
from opendensepose.serve.answers import MEDIA_TYPES
from opendensepose.serve.limits import Limits


@pytest.fixture(scope="module")
def client():
    with client_of() as client:
        yield client


def test_a_photo_as_body_and_in_a_form(client):
    by_body = client.post("/v1/predict", content=red_photo())
    by_form = client.post("/v1/predict", files={"photo": ("a.png", red_photo(), "image/png")})
    assert by_body.status_code == by_form.status_code == 200
    assert by_body.json() == by_form.json() and by_body.headers["X-People"] == "1"
    (person,) = by_body.json()["people"]
    png = Image.open(BytesIO(base64.b64decode(person["iuv_png"])))
    assert person["corner_xy"] == list(RED_BOX[:2]) and (np.asarray(png)[..., 0] == 2).all()


@pytest.mark.parametrize("name", [*FORMATS, "overlay", "view"])
def test_formats_by_query_and_by_accept(client, name):
    by_query = client.post(f"/v1/predict?format={name}", content=red_photo())
    assert by_query.status_code == 200 and by_query.headers["Content-Type"] == MEDIA_TYPES[name]
    by_accept = client.post("/v1/predict", content=red_photo(), headers={"Accept": f"application/x-{name}"})
    assert by_accept.headers["Content-Disposition"] == by_query.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("query", "content", "headers", "status"),
    [
        ("", b"", {}, 400),
        ("", b"no photo", {}, 422),
        ("", red_photo()[:90], {}, 422),
        ("?format=gif", red_photo(), {}, 422),
        ("?person=0", red_photo(), {}, 422),
        ("?min_confidence=2", red_photo(), {}, 422),
        ("?timeout=1e9", red_photo(), {}, 422),
        ("", red_photo(), {"Accept": "text/html"}, 406),
        ("", b"x", {"Content-Type": "multipart/form-data"}, 400),
    ],
)
def test_errors_are_one_sentence(client, query, content, headers, status):
    answer = client.post(f"/v1/predict{query}", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json().keys() == {"error"}
    sentence = answer.json()["error"]
    assert sentence.endswith(".") and sentence[0].isupper() or status == 422
    assert "\n" not in sentence and len(sentence) < 400


def test_other_paths_and_methods(client):
    assert client.get("/v1/predict").status_code == 405
    assert client.get("/nothing").json() == {"error": "Not Found."}
    assert client.get("/static/../app.py").status_code == 404
    assert client.get("/static/%2e%2e/app.py").status_code == 404


def test_models_health_and_metrics(client):
    about = client.get("/v1/models").json()
    assert about["models"][0]["name"] == "default" and about["formats"] == MEDIA_TYPES
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    text = client.get("/metrics").text
    assert 'opendensepose_answers_total{format="json",status="200"}' in text
    assert "opendensepose_waiting 0.0" in text


def test_no_worker_is_not_ready():
    with client_of(is_ready=lambda: False) as client:
        assert client.get("/readyz").status_code == 503 and client.get("/healthz").status_code == 200


def test_no_place_is_429_with_retry_after_and_too_late_504():
    free = threading.Event()

    async def runner(jobs):
        await asyncio.to_thread(free.wait, 20)
        return await red_runner(jobs)

    with client_of(runner, Limits(queue=1, batch=1)) as client:
        answers = []
        ask = lambda query="": answers.append(client.post(f"/v1/predict{query}", content=red_photo()))  # noqa: E731
        running = threading.Thread(target=ask)
        running.start()
        while not client.get("/metrics").text.count("opendensepose_received_bytes_total") or answers:
            pass
        ask("?timeout=0.2")
        assert answers.pop().status_code == 504
        waiting = threading.Thread(target=ask)
        waiting.start()
        while "opendensepose_waiting 1.0" not in client.get("/metrics").text:
            pass
        ask()
        busy = answers.pop()
        assert busy.status_code == 429 and int(busy.headers["Retry-After"]) >= 1
        assert client.get("/healthz").status_code == 200
        free.set()
        running.join(), waiting.join()
        assert [one.status_code for one in answers] == [200, 200]


def test_a_fault_of_ours_is_500_and_the_service_goes_on():
    state = {"fails": True}

    async def runner(jobs):
        if state["fails"]:
            raise RuntimeError("a fault")
        return await red_runner(jobs)

    with client_of(runner) as client:
        assert client.post("/v1/predict", content=red_photo()).status_code == 500
        state["fails"] = False
        assert client.post("/v1/predict", content=red_photo()).status_code == 200


def test_the_last_request_is_answered_before_the_workers_end():
    ended = []
    with client_of(on_stop=lambda: ended.append(True)) as client:
        assert client.post("/v1/predict", content=red_photo()).status_code == 200 and not ended
    assert ended == [True]
