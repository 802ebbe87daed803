"""The photographs without people that scikit-image and scikit-learn carry inside their installed packages."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["PERSON_FREE_PHOTOS", "load_person_free_photo"]

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


@lru_cache(maxsize=len(PHOTO_FILES))
def load_person_free_photo(name: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB; read-only. `name` is one of PERSON_FREE_PHOTOS."""
    if name not in PHOTO_FILES:
        raise ValueError(f"unknown photo {name!r}; known: {', '.join(PHOTO_FILES)}")
    package, path = PHOTO_FILES[name]
    folder = find_spec(package).submodule_search_locations[0]  # found, not imported: importing takes seconds
    with Image.open(Path(folder, path)) as image:
        photo = np.array(image.convert("RGB"))
    photo.setflags(write=False)
    return photo
