from opendensepose.annotate.surface import drawing, picture_cache
from opendensepose.annotate.surface.cameras import NUM_VIEWS


def test_pictures_are_kept_and_a_damaged_file_is_drawn_anew(tmp_path, monkeypatch):
    drawn = []
    fake = {(part, number): bytes([part, number]) for part in range(14) for number in range(NUM_VIEWS)}
    monkeypatch.setattr(drawing, "draw_views", lambda: drawn.append(1) or fake)
    assert picture_cache.load_or_draw(tmp_path) == fake and picture_cache.load_or_draw(tmp_path) == fake
    assert len(drawn) == 1
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    assert picture_cache.load_or_draw(tmp_path) == fake and len(drawn) == 2
    assert len(list(tmp_path.iterdir())) == 1
