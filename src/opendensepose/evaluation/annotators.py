"""Accuracy of human annotators (DensePose, Güler et al. 2018, section 3): annotations of rendered people, whose true
correspondence is known. For each annotated point, d = g(i_k, î_k) between the true and the annotated surface point.

Letters: P points.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from opendensepose.evaluation.errors import LabelDistances, Labels, point_errors
from opendensepose.evaluation.rcp import AUC_LIMITS_M, auc
from opendensepose.instance import DenseAnnotation
from opendensepose.iuv import IUV
from opendensepose.surface import CHART_TO_PART, PART_NAMES

__all__ = [
    "AnnotatedTruth",
    "AnnotatorErrors",
    "annotator_errors",
    "annotator_numbers",
    "annotator_table",
    "chart_means",
    "joined",
]


class AnnotatedTruth(NamedTuple):
    """An annotator's annotation of a person whose truth is known."""

    annotator: str
    person: DenseAnnotation
    truth: IUV  # of the whole image


@dataclass(frozen=True)
class AnnotatorErrors:
    """Errors of one annotator at P points: chart (P,) uint8, the true charts; error_m (P,) float64. off_body: number of
    further points where the truth has no body and so no error; num_people: number of people annotated."""

    annotator: str
    chart: np.ndarray
    error_m: np.ndarray
    off_body: int
    num_people: int


def annotator_errors(people: Iterable[AnnotatedTruth], distances: LabelDistances) -> list[AnnotatorErrors]:
    """Measure each annotator, in the order of their names. ValueError if a point lies outside its image."""
    chart: dict[str, list[np.ndarray]] = {}
    error_m: dict[str, list[np.ndarray]] = {}
    off_body: dict[str, int] = {}
    count: dict[str, int] = {}
    for name, person, truth in people:
        column, row = person.point_xy.astype(np.int64).T
        height, width = truth.size_hw
        if ((column < 0) | (column >= width) | (row < 0) | (row >= height)).any():
            raise ValueError(
                f"annotation {person.annotation_id}: dp_x, dp_y: a point lies outside the truth's {width}x{height} px."
            )
        true = Labels(*(values[row, column] for values in (truth.i, truth.u, truth.v)))
        usable = (true.i > 0) & (person.i > 0)
        annotated = Labels(person.i, person.u, person.v)
        true, annotated = (Labels(*(values[usable] for values in labels)) for labels in (true, annotated))
        chart.setdefault(name, []).append(true.i)
        error_m.setdefault(name, []).append(point_errors(true, annotated, distances))
        off_body[name] = off_body.get(name, 0) + int((~usable).sum())
        count[name] = count.get(name, 0) + 1
    return [
        AnnotatorErrors(name, np.concatenate(chart[name]), np.concatenate(error_m[name]), off_body[name], count[name])
        for name in sorted(chart)
    ]


def joined(annotators: list[AnnotatorErrors]) -> AnnotatorErrors:
    """Merge all annotators into one, named "all"."""
    return AnnotatorErrors(
        "all",
        np.concatenate([np.zeros(0, np.uint8), *(one.chart for one in annotators)]),
        np.concatenate([np.zeros(0), *(one.error_m for one in annotators)]),
        sum(one.off_body for one in annotators),
        sum(one.num_people for one in annotators),
    )


def chart_means(annotator: AnnotatorErrors) -> np.ndarray:
    """Average errors by true chart: (25,) metres, NaN where there are no points."""
    return np.array([_mean(annotator.error_m[annotator.chart == k]) for k in range(25)])


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def annotator_numbers(annotator: AnnotatorErrors) -> dict:
    """Compute people, points, off_body, mean_cm, median_cm, auc10, auc30, and mean and points of each part."""
    error_m, part = annotator.error_m, CHART_TO_PART[annotator.chart]
    return {
        "people": annotator.num_people,
        "points": len(error_m),
        "off_body": annotator.off_body,
        "mean_cm": 100 * _mean(error_m),
        "median_cm": 100 * float(np.median(error_m)) if len(error_m) else float("nan"),
        **{f"auc{round(100 * limit)}": auc(error_m, limit) for limit in AUC_LIMITS_M},
        "parts": {
            PART_NAMES[k]: {"mean_cm": 100 * _mean(error_m[part == k]), "points": int((part == k).sum())}
            for k in np.unique(part)
        },
    }


def annotator_table(annotators: list[AnnotatorErrors], surface: str) -> str:
    """Format the mean geodesic error in cm: a row for each part, a column for each annotator and one for all."""
    columns = [*annotators, joined(annotators)] if len(annotators) > 1 else list(annotators)
    numbers = [annotator_numbers(one) for one in columns]
    names = [one.annotator if len(one.annotator) <= 12 else one.annotator[:11] + "…" for one in columns]
    lines = [
        f"Geodesic error of annotators in cm, mean, on {surface}; no normaliser.",
        f"{'part':<18}" + "".join(f"{name:>13}" for name in names),
    ]

    def add(label: str, values: list, form: str) -> None:
        lines.append(
            f"{label:<18}" + "".join(f"{'-' if _is_nan(value) else format(value, form):>13}" for value in values)
        )

    for name in PART_NAMES[1:]:
        if any(name in one["parts"] for one in numbers):
            add(name, [one["parts"].get(name, {"mean_cm": float("nan")})["mean_cm"] for one in numbers], ".1f")
    add("all points", [one["mean_cm"] for one in numbers], ".1f")
    add("median", [one["median_cm"] for one in numbers], ".1f")
    add("AUC10", [one["auc10"] for one in numbers], ".3f")
    add("AUC30", [one["auc30"] for one in numbers], ".3f")
    for key, label in (("points", "points"), ("off_body", "off the body"), ("people", "people")):
        add(label, [one[key] for one in numbers], "d")
    return "\n".join(lines)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value)
