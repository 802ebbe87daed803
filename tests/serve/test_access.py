"""Keys, hosts, other sites: who gets an answer."""

import pytest
from tests.serve.serving import client_of, red_photo

from opendensepose.serve.access import KEYS_VARIABLE, check_open, read_keys
from opendensepose.web.headers import SECURITY_HEADERS

KEY = "k" * 24


@pytest.mark.parametrize("names", [(), ("dense.example.org",)])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_others_need_a_key_unless_it_is_open(host, names):
    check_open(host, names, [KEY], False)
    check_open(host, names, [], True)
    if host == "127.0.0.1" and not names:
        return check_open(host, names, [], False)
    with pytest.raises(ValueError, match="--key-file FILE.*--open") as error:
        check_open(host, names, [], False)
    assert (names or [host])[0] in str(error.value) or host in str(error.value)


def test_keys_are_read_from_a_file_and_the_environment(tmp_path, monkeypatch):
    assert read_keys(None) == frozenset()
    file = tmp_path / "keys"
    file.write_text(f"# of our app\n{KEY}\n\n {KEY}2 \n")
    assert read_keys(file) == {KEY, KEY + "2"}
    monkeypatch.setenv(KEYS_VARIABLE, f"{KEY}3, {KEY}4")
    assert read_keys(None) == {KEY + "3", KEY + "4"}
    file.write_text("short\n")
    with pytest.raises(ValueError, match="at least 16 letters"):
        read_keys(file)
    file.write_text("# nothing\n")
    with pytest.raises(ValueError, match="must hold API keys"):
        read_keys(file)


def test_without_a_key_only_the_page_and_probes_are_shown():
    with client_of(keys=[KEY]) as client:
        for path in ("/", "/healthz", "/readyz", "/openapi.json", "/static/data.js"):
            assert client.get(path).status_code == 200, path
        for path in ("/v1/models", "/metrics"):
            answer = client.get(path)
            assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
        for headers in ({}, {"Authorization": f"Bearer {KEY}x"}, {"X-API-Key": ""}, {"Authorization": f"Basic {KEY}"}):
            assert client.post("/v1/predict", content=red_photo(), headers=headers).status_code == 401
        for headers in ({"Authorization": f"Bearer {KEY}"}, {"X-API-Key": KEY}):
            assert client.post("/v1/predict", content=red_photo(), headers=headers).status_code == 200
            assert client.get("/metrics", headers=headers).status_code == 200


def test_pages_of_other_sites_may_not_ask():
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    with client_of() as client:
        assert client.post("/v1/predict", content=red_photo(), headers=foreign).status_code == 403
        sister = foreign | {"Sec-Fetch-Site": "same-site"}
        assert client.post("/v1/predict", content=red_photo(), headers=sister).status_code == 403
        own = {"Sec-Fetch-Site": "same-origin"}
        assert client.post("/v1/predict", content=red_photo(), headers=own).status_code == 200
        assert "access-control-allow-origin" not in client.get("/v1/models", headers=foreign).headers
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_an_allowed_origin_may_ask():
    origin = "https://app.example"
    with client_of(origins=[origin], keys=[KEY]) as client:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        asked["Access-Control-Request-Headers"] = "x-api-key"
        preflight = client.options("/v1/predict", headers=asked)
        assert preflight.status_code == 200 and preflight.headers["access-control-allow-origin"] == origin
        headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "X-API-Key": KEY}
        answer = client.post("/v1/predict", content=red_photo(), headers=headers)
        assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == origin
        other = headers | {"Origin": "https://no.example"}
        assert client.post("/v1/predict", content=b"", headers=other).status_code == 403


def test_every_answer_has_the_security_headers():
    with client_of() as client:
        for path in ("/", "/v1/models", "/nothing", "/static/page.css"):
            headers = client.get(path).headers
            assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
            assert headers["Cache-Control"]
