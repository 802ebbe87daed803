"""A predictor that some photos end or keep; a module of its own, so that a worker process that loads it starts fast."""

import os
import time

import numpy as np

__all__ = ["DEADLY", "SLOW", "Fragile", "refuse_to_load"]

DEADLY, SLOW = (41, 60), (42, 60)  # sizes of photos that end the process, or keep it


class Fragile:
    """Finds nobody."""

    backend, device, min_score = "onnxruntime", "cpu", 0.0

    def __call__(self, images_rgb):
        if isinstance(images_rgb, np.ndarray):  # the example, at the start
            return []
        if any(image.shape[:2] == DEADLY for image in images_rgb):
            os._exit(3)
        if any(image.shape[:2] == SLOW for image in images_rgb):
            time.sleep(60)
        return [[] for _ in images_rgb]


def refuse_to_load():
    raise ValueError("there is no such model.")
