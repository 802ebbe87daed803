"""The photographs without people that scikit-image and scikit-learn carry inside their installed packages.

About a third of them is held out: with `Ingredients.photos_held_out` no picture shows any part of them, so that a model
can be tested on photos that were not in any background, wall, sign or print of its training.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["HELD_OUT_PHOTOS", "PERSON_FREE_PHOTOS", "TRAINING_PHOTOS", "load_person_free_photo", "photos_in_use",
           "use_photos"]  # fmt: skip

PHOTO_FILES = {  # name: (package, path inside it); nothing is downloaded; astronaut and camera show people
    "brick": ("skimage", "data/brick.png"),
    "cell": ("skimage", "data/cell.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "clock": ("skimage", "data/clock_motion.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "coins": ("skimage", "data/coins.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grass": ("skimage", "data/grass.png"),
    "gravel": ("skimage", "data/gravel.png"),
    "hubble_deep_field": ("skimage", "data/hubble_deep_field.jpg"),
    "immunohistochemistry": ("skimage", "data/ihc.png"),
    "microaneurysms": ("skimage", "data/microaneurysms.png"),
    "moon": ("skimage", "data/moon.png"),
    "motorcycle_left": ("skimage", "data/motorcycle_left.png"),
    "motorcycle_right": ("skimage", "data/motorcycle_right.png"),
    "page": ("skimage", "data/page.png"),
    "retina": ("skimage", "data/retina.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "text": ("skimage", "data/text.png"),
}
PERSON_FREE_PHOTOS = tuple(PHOTO_FILES)
# Two buildings and vehicles, two textures, two close-ups and a printed page; both views of the motorcycle, since one is
# nearly the other. The cat stays in training, as a hard negative.
HELD_OUT_PHOTOS = ("china", "coins", "grass", "motorcycle_left", "motorcycle_right", "page", "retina")
TRAINING_PHOTOS = tuple(name for name in PERSON_FREE_PHOTOS if name not in HELD_OUT_PHOTOS)

_photos_in_use: ContextVar[tuple[str, ...]] = ContextVar("photos_in_use", default=PERSON_FREE_PHOTOS)


def photos_in_use() -> tuple[str, ...]:
    """List the photos that pictures may be made from: those of `use_photos` inside its context, else all."""
    return _photos_in_use.get()


@contextmanager
def use_photos(names: tuple[str, ...]) -> Iterator[None]:
    """Make pictures from these photos only, inside the context. ValueError for none or an unknown photo."""
    unknown = sorted(set(names) - set(PERSON_FREE_PHOTOS))
    if unknown or not names:
        raise ValueError(f"photos must be some of {', '.join(PERSON_FREE_PHOTOS)}, got {', '.join(unknown) or 'none'}")
    token = _photos_in_use.set(tuple(names))
    try:
        yield
    finally:
        _photos_in_use.reset(token)


@lru_cache(maxsize=len(PHOTO_FILES))
def load_person_free_photo(name: str) -> np.ndarray:
    """Load one of PERSON_FREE_PHOTOS: (H, W, 3) uint8 RGB, read-only. ValueError for another name."""
    if name not in PHOTO_FILES:
        raise ValueError(f"photo must be one of {', '.join(PHOTO_FILES)}, got {name!r}")
    package, path = PHOTO_FILES[name]
    spec = find_spec(package)  # found, not imported: importing takes seconds
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the photo {name} comes with {package}, which is not installed", name=package)
    with Image.open(Path(spec.submodule_search_locations[0], path)) as image:
        photo = np.array(image.convert("RGB"))
    photo.setflags(write=False)
    return photo
