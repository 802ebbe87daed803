"""Photos as they arrive: as a request's body or in a form, within limits of bytes and time, in memory only."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from opendensepose.serve.limits import Limits

__all__ = ["UploadError", "Uploads", "file_of_form"]

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it would log what is wrong with a form


class UploadError(Exception):
    """A body that is not taken: a status of HTTP and one sentence."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


class Uploads:
    """Reads bodies. num_bytes: how many are held now, of all requests."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self.num_bytes = 0

    @contextmanager
    def holding(self) -> Iterator["Upload"]:
        """Yield what reads one request's body; its bytes count as held until the block ends."""
        upload = Upload(self)
        try:
            yield upload
        finally:
            self.num_bytes -= upload.num_bytes


class Upload:
    """The body of one request."""

    def __init__(self, uploads: Uploads):
        self._uploads, self._limits, self.num_bytes = uploads, uploads.limits, 0
        self._is_dropped = False

    async def read(self, request: Request) -> bytes:
        """Return the photo in a request, its body or the one file of its form. UploadError, one sentence, if there is
        none, or it is too large, too slow, or too many bytes are held already."""
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self._limits.max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._limits.upload_s):
                content = await self._body(request)
        except TimeoutError:
            raise UploadError(408, f"The photo must arrive within {self._limits.upload_s:g} seconds.") from None
        if self._is_dropped:
            raise UploadError(429, "The service holds as many photos as it can: try again later.")
        content_type = request.headers.get("content-type", "")
        if content_type.lower().startswith("multipart/"):
            content = await asyncio.to_thread(file_of_form, content_type, content)
        if not content:
            raise UploadError(400, "The request must hold a photo, as its body or as the file of a form; it is empty.")
        return content

    async def _body(self, request: Request) -> bytes:
        """Read the body. One that is over what may be held is read to its end, so that the client, who is still
        sending, gets to read the answer, but dropped."""
        content, num_read = bytearray(), 0
        async for chunk in request.stream():
            num_read += len(chunk)
            if num_read > self._limits.max_bytes:
                raise self._too_large()
            self._is_dropped |= self._uploads.num_bytes + len(chunk) > self._limits.held_bytes
            if self._is_dropped:
                content.clear()
                continue
            self._uploads.num_bytes += len(chunk)
            self.num_bytes += len(chunk)
            content += chunk
        return bytes(content)

    def _too_large(self) -> UploadError:
        return UploadError(413, f"The request must be at most {self._limits.max_bytes / 1e6:g} MB.")


class _Parts:
    """The parts of a form: names and values of each one's header lines, and its content."""

    def __init__(self) -> None:
        self.headers: list[dict[bytes, bytes]] = []
        self.contents: list[bytearray] = []
        self._name, self._value = b"", b""

    def on_part_begin(self) -> None:
        self.headers.append({})
        self.contents.append(bytearray())

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self.headers[-1][self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.contents[-1] += data[start:end]


def file_of_form(content_type: str, body: bytes) -> bytes:
    """Return the content of the one file in a form (multipart/form-data, RFC 7578). UploadError unless there is one."""
    _, options = parse_options_header(content_type)
    parts = _Parts()
    callbacks = {name: getattr(parts, name) for name in dir(parts) if name.startswith("on_")}
    try:
        parser = MultipartParser(options.get(b"boundary", b""), callbacks)  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError):
        raise UploadError(400, "The form cannot be read: it is cut off, or its boundary is another one.") from None
    files = [
        content
        for headers, content in zip(parts.headers, parts.contents, strict=True)
        if b"filename" in parse_options_header(headers.get(b"content-disposition"))[1]
    ]
    if len(files) != 1:
        raise UploadError(400, f"The form must have one file, the photo, got {len(files)}.")
    return bytes(files[0])
