import pytest

from opendensepose.annotate.surface import drawing, picture_cache
from opendensepose.annotate.surface.cameras import NUM_VIEWS
from opendensepose.annotate.surface.picture_cache import PictureCache, draw_missing


class Process:
    """A process that does its work when it is first asked whether it has ended."""

    def __init__(self, work):
        self.work, self.code = work, None

    def poll(self):
        if self.code is None:
            self.code = self.work() or 0
        return self.code


@pytest.fixture
def drawn(monkeypatch):
    """The parts that were drawn, in order."""
    parts = []
    monkeypatch.setattr(drawing, "draw_part", lambda part: parts.append(part) or [bytes([part, k]) for k in range(6)])
    monkeypatch.setattr(picture_cache, "POLL_SECONDS", 0)
    return parts


def test_pictures_are_drawn_once_and_a_damaged_file_is_drawn_anew(tmp_path, drawn):
    def start(folder):
        return Process(lambda: draw_missing(folder))

    first = PictureCache(tmp_path, start)
    first.prepare()
    assert first.png(3, 5) == bytes([3, 5]) and first.png(14, 0) == bytes([14, 0]) and drawn == list(range(1, 15))
    assert PictureCache(tmp_path, start).png(3, NUM_VIEWS - 1) == bytes([3, 5]) and len(drawn) == 14
    (damaged,) = tmp_path.glob("views-*-3-*.npz")
    damaged.write_bytes(damaged.read_bytes()[:-7])
    assert PictureCache(tmp_path, start).png(3, 1) == bytes([3, 1]) and drawn[14:] == [3]
    assert len(list(tmp_path.iterdir())) == 14


def test_what_was_drawn_before_a_kill_is_kept(tmp_path, drawn):
    draw_missing(tmp_path, lambda: len(drawn) < 5)
    assert drawn == [1, 2, 3, 4, 5]
    draw_missing(tmp_path)
    assert drawn == list(range(1, 15))


def test_a_process_that_fails_is_an_error_and_the_next_request_starts_another(tmp_path, drawn):
    started = []
    pictures = PictureCache(tmp_path, lambda folder: started.append(1) or Process(lambda: 1))
    for tries in (1, 2):
        with pytest.raises(OSError, match="part 2 could not be drawn"):
            pictures.png(2, 0)
        assert len(started) == tries


def test_without_a_writable_cache_the_pictures_lie_in_a_temporary_folder(tmp_path, drawn, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path / "file" / "cache"))
    assert PictureCache(start=lambda folder: Process(lambda: draw_missing(folder))).png(1, 2) == bytes([1, 2])
