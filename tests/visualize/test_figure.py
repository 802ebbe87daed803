"""Panels on paper: where they lie, what stands under them, files as a whole or not at all."""

import numpy as np
import pytest
from PIL import Image

from opendensepose import atomic_write
from opendensepose.visualize.figure import Caption, compose_figure, write_png

RAMP = np.stack([np.arange(256), np.zeros(256), 255 - np.arange(256)], axis=1).astype(np.float32)


def panels(height, width, count=4):
    """Panels of one colour each: 40, 80, 120, 160 in red, nothing else."""
    return [np.full((height, width, 3), (40 * (k + 1), 0, 0), np.uint8) for k in range(count)]


def place_of(picture, colour):
    """First row, first column, height and width of the pixels of exactly this colour."""
    rows, columns = np.nonzero((picture == colour).all(axis=2))
    return rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1


def test_upright_panels_stand_in_a_row_and_broad_ones_in_two():
    captions = [Caption(name) for name in "abcd"]
    row = compose_figure(panels(300, 200), captions)
    tops, lefts = np.transpose([place_of(row, (40 * k, 0, 0))[:2] for k in range(1, 5)])
    assert np.ptp(tops) == 0 and (np.diff(lefts) >= 200).all()
    places = [place_of(compose_figure(panels(200, 300), captions), (40 * k, 0, 0)) for k in range(1, 5)]
    assert places[0][0] == places[1][0] < places[2][0] == places[3][0]
    assert places[0][1] == places[2][1] < places[1][1] == places[3][1]
    assert all(place[2:] == (200, 300) for place in places)
    places = [place_of(compose_figure(panels(200, 300), captions, columns=4), (40 * k, 0, 0)) for k in range(1, 5)]
    assert len({place[0] for place in places}) == 1


def test_a_colour_bar_runs_from_0_to_1_under_its_panel():
    picture = compose_figure(panels(300, 300, 1), [Caption("U", ramp=RAMP)])
    below = picture[place_of(picture, (40, 0, 0))[0] + 301 :].astype(int)
    rows, columns = np.nonzero((below[..., 1] == 0) & (below[..., 0] + below[..., 2] == 255))
    first, last = below[rows[0], columns.min()], below[rows[0], columns.max()]
    assert first.tolist() == [0, 0, 255] and last.tolist() == [255, 0, 0]


def test_title_legend_and_labels_are_drawn():
    captions = [Caption(""), Caption("")]
    bare = compose_figure(panels(300, 300, 2), captions)
    titled = compose_figure(panels(300, 300, 2), captions, title="image 5")
    assert titled.shape[0] > bare.shape[0]
    legend = [(f"part {k}", (10 * k, 200, 7)) for k in range(1, 15)]
    with_legend = compose_figure(panels(300, 300, 2), captions, legend=legend)
    places = [place_of(with_legend, colour) for _, colour in legend]
    assert all(place[3] >= 8 for place in places)
    labelled = compose_figure(panels(300, 300, 2), captions, labels=[("12", 100, 100), ("13", 500, -50)])
    changed = (labelled != bare).any(axis=2)
    _, left, _, width = place_of(bare, (40, 0, 0))
    assert changed[:, left : left + width].any()
    assert not changed[:, :left].any() and not changed[:, left + width :].any()  # moved into the panel


def test_panels_of_unequal_size_or_without_a_caption_are_refused():
    with pytest.raises(ValueError, match="one size and a caption"):
        compose_figure([*panels(30, 20, 1), *panels(20, 30, 1)], [Caption("")] * 2)
    with pytest.raises(ValueError, match="one size and a caption"):
        compose_figure(panels(30, 20, 2), [Caption("")])


def test_a_picture_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    picture = panels(30, 20, 1)[0]
    write_png(tmp_path / "a.png", picture)
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), picture)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic_write.os, "replace", full)
    with pytest.raises(OSError):
        write_png(tmp_path / "b.png", picture)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
