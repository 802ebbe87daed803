"""What arrives: as a body, in a form, too much, too slowly; memory is bounded and nothing goes to disk."""

import asyncio
import tempfile

import pytest
from starlette.requests import Request

from opendensepose.serve.limits import Limits
from opendensepose.serve.uploads import UploadError, Uploads

PHOTO = b"\xff\xd8 not really"
LIMITS = Limits(max_bytes=100, upload_s=0.05, held_bytes=150)


def request_of(*chunks, content_type="image/jpeg", length=None, pause_s=0.0):
    waiting = list(chunks)

    async def receive():
        await asyncio.sleep(pause_s)
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    headers = [(b"content-type", content_type.encode())]
    headers += [(b"content-length", str(length).encode())] if length is not None else []
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def read(request, uploads=None):
    uploads = uploads or Uploads(LIMITS)

    async def main():
        with uploads.holding() as upload:
            return await upload.read(request)

    try:
        return asyncio.run(main())
    finally:
        assert uploads.num_bytes == 0 or uploads.num_bytes == getattr(uploads, "held_before", 0)


def form(*parts):
    lines = [b"--b\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts]
    return b"".join(lines) + b"--b--\r\n"


FILE = 'Content-Disposition: form-data; name="photo"; filename="a.jpg"'
FORM = "multipart/form-data; boundary=b"


def refused(status, *arguments, **options):
    with pytest.raises(UploadError) as error:
        read(*arguments, **options)
    assert error.value.status == status
    return str(error.value)


def test_a_body_is_the_photo():
    assert read(request_of(PHOTO)) == PHOTO
    assert read(request_of(PHOTO[:3], PHOTO[3:], content_type="application/x-www-form-urlencoded")) == PHOTO


def test_a_forms_file_is_the_photo():
    body = form(('Content-Disposition: form-data; name="x"', b"1"), (FILE, PHOTO))
    uploads = Uploads(Limits(max_bytes=1000))
    assert read(request_of(body[:50], body[50:], content_type=FORM), uploads) == PHOTO


def test_large_files_of_forms_stay_in_memory(monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", None)  # what a file that is put on disk would call
    content = bytes(3_000_000)
    assert read(request_of(form((FILE, content)), content_type=FORM), Uploads(Limits())) == content


@pytest.mark.parametrize(
    "body",
    [b"", b"no form", form(), form(('Content-Disposition: form-data; name="photo"', b"text")), form((FILE, b""))],
)
def test_forms_without_a_photo(body):
    assert refused(400, request_of(body, content_type=FORM), Uploads(Limits(max_bytes=1000)))


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/x; boundary=é"]
)
def test_damaged_heads_of_forms(content_type):
    content_type = content_type.encode("utf-8").decode("latin-1").encode("ascii", "ignore").decode()
    refused(400, request_of(form((FILE, PHOTO)), content_type=content_type), Uploads(Limits(max_bytes=1000)))


def test_two_files_are_not_one_photo():
    assert "got 2" in refused(
        400, request_of(form((FILE, PHOTO), (FILE, PHOTO)), content_type=FORM), Uploads(Limits(max_bytes=1000))
    )


def test_nothing_is_no_photo():
    assert "empty" in refused(400, request_of(b""))


def test_too_much_is_refused_by_its_head_and_by_what_arrives():
    assert "at most 0.0001 MB" in refused(413, request_of(b"", length=101))
    refused(413, request_of(b"", length="many"))
    refused(413, request_of(bytes(60), bytes(60)))
    assert read(request_of(bytes(100))) == bytes(100)


def test_who_is_slow_is_refused():
    assert "within 0.05 seconds" in refused(408, request_of(b"a", b"b", b"c", b"d", pause_s=0.03))


def test_all_bodies_together_are_bounded():
    uploads = Uploads(LIMITS)
    uploads.num_bytes = uploads.held_before = 100  # of other requests
    request = request_of(bytes(40), bytes(40), bytes(10))
    assert "as many photos as it can" in refused(429, request, uploads=uploads)
    assert read(request_of(bytes(50)), uploads) == bytes(50)
