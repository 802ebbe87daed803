"""A network's figures on annotated images while it is trained: the paper's measures, on the first so many images."""

import copy
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from torch import nn

from opendensepose.data.coco import read_annotations
from opendensepose.data.photos import find_image, photo_folders, read_photo
from opendensepose.evaluate import load_distances
from opendensepose.evaluation.errors import LabelDistances
from opendensepose.evaluation.measures import AnnotatedImage, Measures, measure
from opendensepose.evaluation.people import annotated_person, detected_person
from opendensepose.evaluation.rcp import auc
from opendensepose.predict import Predictor
from opendensepose.training.annotated.images import annotation_file

__all__ = ["Validation"]

MIN_SCORE = 0.05  # AP counts detections of low confidence too, in their order


class Validation:
    """folder: as AnnotatedImages takes it. num_images: the first so many, None: all. ValueError or OSError, one
    sentence, if there is nothing to measure on."""

    def __init__(self, folder: str | Path, num_images: int | None = None):
        path = annotation_file(folder)
        self.document = read_annotations(path)
        self.photos = photo_folders(path)
        self.ids = list(self.document.images)[:num_images]
        if not any(self.document.annotation_ids(image_id) for image_id in self.ids):
            raise ValueError(f"{path} has no annotations to measure against.")

    @cached_property
    def distances(self) -> LabelDistances:
        """Loaded, or made if there are none yet, by the one process that measures."""
        return load_distances()

    def measures(self, network: nn.Module, on_image: Callable[[], None] | None = None) -> Measures:
        """Of all detections from MIN_SCORE on, each with its own map. Of a copy: the network stays as it is.
        on_image is called after each image."""
        predictor = Predictor(copy.deepcopy(network), min_score=MIN_SCORE)
        images = (self._image(k, predictor) for k in self.ids)
        return measure(images, self.distances, normalisers=("kappa",), on_image=on_image)

    def scores(self, network: nn.Module) -> dict[str, float]:
        """GPS with kappa 0.255 m: ap, ap50, ap75, ar; RCP: auc10, auc30; box_ap."""
        measures = self.measures(network)
        gps = measures.gps["kappa"].numbers()
        figures = {name: gps[name] for name in ("ap", "ap50", "ap75", "ar")}
        figures |= {"auc10": auc(measures.error_m, 0.1), "auc30": auc(measures.error_m, 0.3)}
        return figures | {"box_ap": measures.box.numbers()["ap"]}

    def _image(self, image_id: int, predictor: Predictor) -> AnnotatedImage:
        entry = self.document.images[image_id]
        image = read_photo(find_image(self.photos, str(entry.get("file_name", image_id))))
        found = [detected_person(one.box_xyxy, one.score, one.iuv) for one in predictor(image)]
        people = [annotated_person(person, image.shape[:2]) for person in self.document.people(image_id)]
        return AnnotatedImage(image_id, image.shape[:2], people, found)
