"""Hostile bodies: damaged pictures of every kind, damaged forms, bombs. Each is answered or refused in one sentence."""

import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.hostile import damaged
from tests.serve.serving import client_of, encoded, red_photo

from opendensepose.serve.limits import Limits

KINDS = {
    "JPEG": {"quality": 70},
    "PNG": {},
    "WEBP": {},
    "GIF": {},
    "TIFF": {"compression": "tiff_deflate"},
    "BMP": {},
    "PPM": {},
    "AVIF": {},
    "JPEG2000": {},
}
PER_KIND = 60  # with the forms 600 in all


@pytest.fixture(scope="module")
def client():
    with client_of(limits=Limits(max_bytes=200_000)) as client:
        yield client


def assert_answered(answer):
    assert answer.status_code in (200, 400, 413, 422), answer.text
    if answer.status_code != 200:
        sentence = answer.json()["error"]
        assert sentence and "\n" not in sentence and len(sentence) < 500, sentence
    return answer.status_code


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_pictures(client, kind):
    rng, sound = random.Random(kind), red_photo(kind, **KINDS[kind])
    assert client.post("/v1/predict", content=sound).status_code == 200
    statuses = [assert_answered(client.post("/v1/predict", content=damaged(sound, rng))) for _ in range(PER_KIND)]
    assert set(statuses) - {200}


def test_damaged_forms(client):
    rng, boundary = random.Random("form"), b"xyz"
    head = b'--xyz\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    sound = head + red_photo() + b"\r\n--xyz--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}
    assert client.post("/v1/predict", content=sound, headers=headers).status_code == 200
    for _ in range(PER_KIND):
        assert_answered(client.post("/v1/predict", content=damaged(sound, rng), headers=headers))


def png(width, height, rows=b"", more=b""):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


BOMBS = {
    "many pixels in the head": png(60_000, 60_000),
    "many pixels, well packed": png(6000, 6000, bytes(6000 * 18_001)),
    "a strip": png(1_000_000, 1),
    "text that unpacks to much": png(8, 8, bytes(8 * 25), struct.pack(">I", 0) + b"zTXt"),
    "an animation": encoded(np.zeros((20, 20, 3), np.uint8), "GIF", save_all=True,
                            append_images=[Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]),
    "too many bytes": bytes(200_001),
    "no picture": b"%PDF-1.7 " + bytes(1000),
    "a program": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
    "a vector picture": b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>',
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(client, name):
    assert assert_answered(client.post("/v1/predict", content=BOMBS[name])) in (413, 422)


def test_a_phones_jpeg_with_a_second_picture_is_read(client):
    small = Image.new("RGB", (30, 20), "blue")
    content = encoded(np.full((40, 60, 3), 90, np.uint8), "MPO", save_all=True, append_images=[small])
    assert client.post("/v1/predict", content=content).status_code == 200
