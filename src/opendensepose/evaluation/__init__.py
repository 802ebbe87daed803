"""The paper's measures: RCP and AUC of points, GPS, AP and AR of people, accuracy of annotators. No torch."""

from opendensepose.evaluation.errors import ChartDistances, LabelDistances
from opendensepose.evaluation.gps import KAPPA_M, NORMALISERS, PART_NORMALISER_M
from opendensepose.evaluation.measures import AnnotatedImage, Measures, PersonErrors, measure
from opendensepose.evaluation.official_assets import OFFICIAL_FILES, load_official_distances
from opendensepose.evaluation.people import AnnotatedPerson, DetectedPerson, annotated_person, detected_person
from opendensepose.evaluation.rcp import auc, auc_interval, rcp

__all__ = [
    "KAPPA_M",
    "NORMALISERS",
    "OFFICIAL_FILES",
    "PART_NORMALISER_M",
    "AnnotatedImage",
    "AnnotatedPerson",
    "ChartDistances",
    "DetectedPerson",
    "LabelDistances",
    "Measures",
    "PersonErrors",
    "annotated_person",
    "auc",
    "auc_interval",
    "detected_person",
    "load_official_distances",
    "measure",
    "rcp",
]
