"""The live page, with frames of a list instead of a camera: it shows what is labelled, to this machine only."""

import http.client
import threading
import time

import cv2
import numpy as np
import pytest
from tests.red_people import RedPeople
from tests.video.clips import red_frames

from opendensepose.video.live import LiveServer, camera_frames, newest, serve_live


def read_picture(response) -> np.ndarray:
    head = {}
    while (line := response.fp.readline().strip()) or not head:
        if b":" in line:
            name, value = line.split(b":", 1)
            head[name.strip().lower()] = value.strip()
    return cv2.imdecode(np.frombuffer(response.fp.read(int(head[b"content-length"])), np.uint8), cv2.IMREAD_COLOR)


def test_the_page_shows_pictures_as_they_come():
    with LiveServer(port=0) as live:
        live.show(np.full((40, 60, 3), (200, 30, 30), np.uint8))
        browser = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
        browser.request("GET", "/live")
        response = browser.getresponse()
        assert response.status == 200 and "multipart/x-mixed-replace" in response.getheader("Content-Type")
        np.testing.assert_allclose(read_picture(response).mean((0, 1)), (30, 30, 200), atol=6)  # BGR
        live.show(np.full((40, 60, 3), (30, 200, 30), np.uint8))
        np.testing.assert_allclose(read_picture(response).mean((0, 1)), (30, 200, 30), atol=6)
        browser.close()


@pytest.mark.parametrize(("path", "host"), [("/", "evil.example"), ("/other", "127.0.0.1"), ("/live", "evil.example")])
def test_other_pages_and_other_sites_get_nothing(path, host):
    with LiveServer(port=0) as live:
        browser = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
        browser.request("GET", path, headers={"Host": host})
        assert browser.getresponse().status == 404
        browser.request("GET", "/")
        page = browser.getresponse()
        assert page.status == 200 and b'src="/live"' in page.read()


def test_a_camera_that_is_not_there_is_said_at_once(capfd):
    with pytest.raises(ValueError, match="camera 99 cannot be opened"):
        camera_frames(99)
    assert capfd.readouterr() == ("", "")  # nor do OpenCV's drivers say more


def test_a_port_in_use_is_said():
    with LiveServer(port=0) as live, pytest.raises(ValueError, match=f"port {live.port} cannot be used"):
        LiveServer(port=live.port)


def test_all_frames_of_a_source_are_labelled():
    network = RedPeople()
    assert serve_live(red_frames(6), network, port=0) == 6
    assert len(network.calls) >= 6


def test_frames_that_are_overtaken_are_left_out():
    taken = threading.Event()

    def source():
        for k in range(50):
            yield np.full((2, 2, 3), k, np.uint8)
        taken.set()

    seen = []
    for frame in newest(source()):
        seen.append(int(frame[0, 0, 0]))
        taken.wait(20)
        time.sleep(0.01)
    assert seen[-1] == 49 and len(seen) <= 3
