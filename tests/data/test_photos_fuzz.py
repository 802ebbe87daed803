"""Damaged and extreme pictures are read or refused in one sentence, within bounded memory."""

import random
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.hostile import damaged, is_read_or_refused, memory_limit

from opendensepose.data.photos import photo_size_hw, read_photo

FORMATS = {
    "JPEG": {"quality": 60},
    "PNG": {},
    "WEBP": {},
    "GIF": {},
    "TIFF": {"compression": "tiff_deflate"},
    "BMP": {},
}


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_pictures(tmp_path, kind):
    rng = random.Random(kind)
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    content = BytesIO()
    Image.fromarray(pixels).save(content, kind, **FORMATS[kind])
    path, results = tmp_path / "a", []
    path.write_bytes(content.getvalue())
    assert read_photo(path).shape == pixels.shape
    with memory_limit(512 << 20):
        for _ in range(80):
            path.write_bytes(damaged(content.getvalue(), rng))
            results.append(is_read_or_refused(lambda: read_photo(path)))
            is_read_or_refused(lambda: photo_size_hw(path))
    assert not all(results)


@pytest.mark.parametrize("size_wh", [(70_000, 10), (1, 1_000_000), (3_000_000, 1), (1001, 50), (50, 1001)])
def test_strips_are_refused_before_they_are_decoded(tmp_path, size_wh):
    path = tmp_path / "strip.png"
    Image.new("L", size_wh).save(path)
    with pytest.raises(ValueError, match="must be at most 20 times") as error:
        read_photo(path)
    assert f"got {size_wh[0]} x {size_wh[1]} pixels" in str(error.value)
    assert read_photo_of(tmp_path, (1000, 1)) == (1, 1000, 3)  # a short one costs nothing
    assert read_photo_of(tmp_path, (1000, 50)) == (50, 1000, 3)


def read_photo_of(folder, size_wh):
    path = folder / "other.png"
    Image.new("L", size_wh).save(path)
    return read_photo(path).shape


@pytest.mark.parametrize("size_wh", [(2**31 - 1, 2**31 - 1), (100_000, 100_000), (0, 5), (50_000_001, 1)])
def test_sizes_that_only_the_head_has(tmp_path, size_wh):
    content = BytesIO()
    Image.new("L", (3, 3)).save(content, "BMP")
    head = bytearray(content.getvalue())
    head[18:26] = b"".join(side.to_bytes(4, "little") for side in size_wh)
    path = tmp_path / "a.bmp"
    path.write_bytes(head)
    with memory_limit(256 << 20):
        assert not is_read_or_refused(lambda: read_photo(path))
