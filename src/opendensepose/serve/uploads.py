"""Photos as they arrive: as a request's body or in a form, within limits of bytes and time, in memory only."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from opendensepose.serve.limits import Limits

__all__ = ["UploadError", "Uploads"]


class UploadError(Exception):
    """A body that is not taken: a status of HTTP and one sentence."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


class _InMemory(MultiPartParser):
    spool_max_size = 2**31  # never a file on disk


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
                if request.headers.get("content-type", "").lower().startswith("multipart/"):
                    content = await self._file_of_form(request)
                else:
                    content = b"".join([chunk async for chunk in self._chunks(request)])
        except TimeoutError:
            raise UploadError(408, f"The photo must arrive within {self._limits.upload_s:g} seconds.") from None
        if self._is_dropped:
            raise UploadError(429, "The service holds as many photos as it can: try again later.")
        if not content:
            raise UploadError(400, "The request must hold a photo, as its body or as the file of a form; it is empty.")
        return content

    async def _chunks(self, request: Request) -> AsyncGenerator[bytes, None]:
        """Yield the body's parts. One that is over what may be held is read to its end, so that the client, who is
        still sending, gets to read the answer, but dropped."""
        num_read = 0
        async for chunk in request.stream():
            num_read += len(chunk)
            if num_read > self._limits.max_bytes:
                raise self._too_large()
            self._is_dropped |= self._uploads.num_bytes + len(chunk) > self._limits.held_bytes
            if not self._is_dropped:
                self._uploads.num_bytes += len(chunk)
                self.num_bytes += len(chunk)
                yield chunk

    async def _file_of_form(self, request: Request) -> bytes:
        try:
            form = await _InMemory(request.headers, self._chunks(request), max_files=1, max_fields=8).parse()
        except (MultiPartException, ValueError) as error:
            if self._is_dropped:
                return b""
            raise UploadError(400, f"The form cannot be read: {str(error).rstrip('.')}.") from None
        files = [one for _, one in form.multi_items() if not isinstance(one, str)]
        content = await files[0].read() if files else b""
        await form.close()
        return content

    def _too_large(self) -> UploadError:
        return UploadError(413, f"The request must be at most {self._limits.max_bytes / 1e6:g} MB.")
