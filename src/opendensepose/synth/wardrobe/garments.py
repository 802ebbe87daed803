"""Garments, hair, eyes and skins from MakeHuman's files to arrays."""

from collections.abc import Mapping

import numpy as np

__all__ = ["pack_garments"]


def pack_garments(files: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """The arrays that the renderer needs of the garments.

    files: content by path in the npm package, such as package/public/data/proxies/clothes/shoes01/shoes01.json. Keys of
    the result begin with "wardrobe/".
    """
    return {"wardrobe/paths": np.array(sorted(files))}
