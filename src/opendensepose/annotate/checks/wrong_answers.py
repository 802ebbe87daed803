"""Answers that look wrong: far from where the other answers and the model put their points, or moved on by one.

The answers are described by two processes (`processes`): places as a smooth function of the pixel, and pixels as those
of a puppet. By each, all other answers predict each answer with a standard deviation. How surprising it is by both,
whether it faces the viewer as its part's answers do, and what the model says of its pixel add up, as log likelihoods: a
single answer is wrong if the sum is large. A part whose answers are likelier at the next point's pixel, or at the one
before, has slipped.

Letters: P answers; B parts; K answers of one part; D dimensions, 3 of places, 2 of pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from opendensepose.annotate.checks.body import at_rest, normals_at_rest
from opendensepose.annotate.checks.model_labels import ModelAnswers
from opendensepose.annotate.checks.processes import Process, padded, pixels_by_place, places_by_pixel
from opendensepose.surface import SurfacePoints

__all__ = ["Slip", "WrongAnswer", "answer_noise_m", "find_slips", "find_wrong_answers", "observe"]

# Standard deviation of a careful annotator's answer along each axis, metres; the paper's annotators are the worst on
# the torso (DensePose, Güler et al. 2018, section 3).
NOISE_M = {1: 0.04, 2: 0.012, 3: 0.012, 4: 0.015, 5: 0.015, 14: 0.015}
LIMB_NOISE_M = 0.025
ON_SKIN = 0.87  # of the noise: what of it lies along the normal is lost
# The model's standard deviation by its confidence, metres.
UNSEEN_M = 1e3  # where it says nothing
ALIKE = 1.5  # times its standard deviation where several of its answers are heard: neighbouring ones err alike
WITNESS_REACH_M = 0.15  # a place that is farther from all answers on the part says nothing about their order
CONFIDENCE, MODEL_M = (0.0, 0.73, 0.855, 0.93, 0.975, 1.0), (0.07, 0.05, 0.035, 0.028, 0.02, 0.012)
# How surprising an answer is: minus the log density of Student's t. Careful annotators' errors, and far more the
# model's, have longer tails than a Gaussian. Where a part's answers fit badly as a whole, each surprises less.
FREEDOM, MODEL_FREEDOM = 30.0, 4.0
WITNESS_WEIGHT = 0.5
WITNESS_AGREES = 2.0  # the model's surprise that speaks neither for nor against an answer
WITNESS_MOST = 8.0  # of its surprise: it is often far off itself, and must not accuse alone
# How much likelier a wrong answer is than a careful one (log), by the cosine to the mean normal of its part's others.
COSINE, FACING_AWAY = (-1.0, -0.6, -0.2, 0.2, 0.6, 1.0), (5.0, 4.5, 3.0, 1.5, 0.0, -0.7)
SURPRISE = 17.5  # of a wrong answer, at least
MOST_SQUARED = 10.0  # of one answer by its variance, in each dimension, where a part's fit is judged
PRIOR_ANSWERS = 3.0  # that fit as expected, added to each part
LEAST_M = 0.08  # an answer nearer to where it should be is not called wrong
MIN_ANSWERS, MOST_WRONG = 4, 20
LIKELIER = 4.6  # a slip, at least: log likelihood ratio by the misfit after it
MIN_OF_SLIP = 4


class WrongAnswer(NamedTuple):
    """A single answer that looks wrong: its index, how far from where the other answers put it, metres, and whether the
    model agrees with them rather than with it."""

    answer: int
    distance_m: float
    with_model: bool


class Slip(NamedTuple):
    """A part's answers, which fit the points after theirs (step 1) or before theirs (-1)."""

    indices: np.ndarray
    step: int


@dataclass(frozen=True)
class Observations:
    """P answers as places on the body at rest, seen at pixels."""

    part: np.ndarray  # (P,)
    xy_m: np.ndarray  # (P, 2) pixels by the person's pixels per metre
    rest: np.ndarray  # (P, 3) metres
    normal: np.ndarray  # (P, 3) unit vectors at rest
    places: Process
    pixels: Process


def answer_noise_m(part: np.ndarray) -> np.ndarray:
    """Return the standard deviation (P,) of careful answers along each axis, metres, by part (P,)."""
    table = np.full(15, LIMB_NOISE_M)
    table[list(NOISE_M)] = list(NOISE_M.values())
    return table[np.asarray(part, int)]


def observe(part: np.ndarray, xy: np.ndarray, points: SurfacePoints) -> Observations:
    """Collect P answers. part: (P,) 1..14. xy: (P, 2) pixels of the photo, in the order of presentation."""
    part, xy = np.asarray(part, int), np.asarray(xy, np.float64).reshape(-1, 2)
    rest, noise = at_rest(points), (ON_SKIN * answer_noise_m(part)) ** 2
    xy_m = xy / _pixels_per_metre(part, xy, rest)
    places, pixels = (make(part, xy_m, rest, noise) for make in (places_by_pixel, pixels_by_place))
    return Observations(part, xy_m, rest, normals_at_rest(points), places, pixels)


def find_slips(seen: Observations, witness: ModelAnswers | None = None) -> Iterator[Slip]:
    """Yield the parts whose answers fit the neighbouring points of the order of presentation better than their own.

    witness: what the model says of the answers' pixels, None without a model.
    """
    blocks = [np.flatnonzero(seen.part == number) for number in np.unique(seen.part)]
    blocks = [own for own in blocks if len(own) >= MIN_OF_SLIP]
    for own, ratios in zip(blocks, _slip_ratios(seen, blocks, witness), strict=True):
        if ratios.max() > LIKELIER:
            yield Slip(own, 1 if ratios.argmax() == 0 else -1)


def _slip_ratios(seen: Observations, blocks: list[np.ndarray], witness: ModelAnswers | None) -> np.ndarray:
    """How much likelier the answers of B parts are at the next points (column 0) or at those before (1): (B, 2).

    All parts at once, as every click waits for it; the shorter ones are padded with what says nothing.
    """
    if not blocks:
        return np.zeros((0, 2))
    count = np.array([len(own) for own in blocks])
    is_there = np.arange(count.max()) < count[:, None]  # (B, K)
    own = np.zeros(is_there.shape, int)
    own[is_there] = np.concatenate(blocks)
    mean, covariance = seen.places.without_part(own, is_there)
    if witness is not None:
        mean, covariance = _seen_by_model(seen, own, is_there, mean, covariance, witness)
    of_places = _shifted_fits(seen.places, own, is_there, mean, covariance)  # [answers, pixels]
    of_pixels = _shifted_fits(seen.pixels, own, is_there, *seen.pixels.without_part(own, is_there))  # [pixels, answers]
    ratios = np.zeros((len(blocks), 2))
    for log_density, misfit in (of_places, [fits.swapaxes(0, 1) for fits in of_pixels]):
        here, there = log_density[[0, 1], [0, 1]], log_density[[0, 1], [1, 0]]
        ratios += ((there - here) / misfit[[0, 1], [1, 0]]).T
    return ratios


def _shifted_fits(
    process: Process, own: np.ndarray, is_there: np.ndarray, mean: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Log densities and misfits (2, 2, B): of each part's values but the last (0) or the first (1), first axis, where
    those but the last or the first are predicted, second axis."""
    covariance = covariance + process.noise[own][:, :, None] * np.eye(own.shape[1])
    used = is_there[:, 1:]
    covariances = np.stack([covariance[:, :-1, :-1], covariance[:, 1:, 1:]])
    precision = np.linalg.inv(padded(covariances, used))  # (2, B, K - 1, K - 1)
    values, means = (np.stack([both[:, :-1], both[:, 1:]]) for both in (process.value[own], mean))
    residual = np.where(used[..., None], values[:, None] - means, 0)  # (2, 2, B, K - 1, D)
    return _likelihood(residual, precision, used.sum(1))


def _likelihood(residual: np.ndarray, precision: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log density of values under a Gaussian, without the constant, and how badly they fit, as `_misfit` says; (...).

    residual: (..., K, D), 0 where padded. precision: (..., K, K), the same for all dimensions. count: (...), of K.
    """
    pull, dimensions = precision @ residual, residual.shape[-1]
    squared = (residual * pull).sum((-2, -1))
    left_out = ((pull**2).sum(-1) / np.diagonal(precision, axis1=-2, axis2=-1)).sum(-1)
    log_density = 0.5 * (dimensions * np.linalg.slogdet(precision)[1] - squared)
    return log_density, np.maximum(left_out / count / dimensions, 1)


def find_wrong_answers(
    seen: Observations, points: SurfacePoints, witness: ModelAnswers | None = None
) -> Iterator[WrongAnswer]:
    """Yield single wrong answers, the most surprising first; each is left out before the next is judged.

    points: the answers that were observed. witness: what the model says of their pixels, None without a model.
    """
    part, processes = seen.part, [seen.places, seen.pixels]
    by_model, is_left = _model_surprise(part, points, witness), np.ones(len(part), bool)
    for _ in range(min(MOST_WRONG, len(part) + 1 - MIN_ANSWERS)):
        judged = [_surprise(process, part, is_left) for process in processes]
        distance = np.maximum(*(distance for distance, _ in judged))
        surprise = sum(surprise for _, surprise in judged) + _facing_away(part, seen.normal, is_left) + by_model
        surprise[(distance < LEAST_M) | ~is_left] = 0
        k = int(surprise.argmax())
        if surprise[k] <= SURPRISE:
            return
        yield WrongAnswer(k, float(distance[k]), bool(by_model[k] > 0))
        processes, is_left[k] = [process.without(k) for process in processes], False


def _surprise(process: Process, part: np.ndarray, is_left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each answer is from what the others predict, metres, and how surprising that is: (P,) each."""
    residual, variance = process.left_out()
    squared, dimensions = (residual**2).sum(1), residual.shape[1]
    misfit = _misfit(squared / variance / dimensions, part, is_left)
    return np.sqrt(squared), _student(squared / variance / misfit, FREEDOM, dimensions)


def _facing_away(part: np.ndarray, normal: np.ndarray, is_left: np.ndarray) -> np.ndarray:
    """(P,): how much the side of the body speaks against each answer: what is seen of a part faces the same way."""
    counted = np.where(is_left[:, None], normal, 0)
    total = np.stack([np.bincount(part, counted[:, axis])[part] for axis in range(3)], 1) - counted
    length = np.linalg.norm(total, axis=1)
    cosine = (normal * total).sum(1) / np.maximum(length, 1e-9)
    return np.where(length > 0, np.interp(cosine, COSINE, FACING_AWAY), 0)


def _model_surprise(part: np.ndarray, points: SurfacePoints, witness: ModelAnswers | None) -> np.ndarray:
    """(P,): how much the model speaks against each answer (above 0) or for it; 0 where it says nothing."""
    against = np.zeros(len(part))
    if witness is not None and witness.is_known.any():
        known = np.flatnonzero(witness.is_known)
        squared_m = ((at_rest(points)[known] - at_rest(witness.points)) ** 2).sum(1)
        variance = answer_noise_m(part[known]) ** 2 + _model_m(witness) ** 2
        surprise = np.minimum(_student(squared_m / variance, MODEL_FREEDOM, 3), WITNESS_MOST)
        against[known] = WITNESS_WEIGHT * (surprise - WITNESS_AGREES)
    return against


def _student(squared: np.ndarray, freedom: float, dimensions: int) -> np.ndarray:
    """Minus the log density of Student's t, up to a constant; squared: by the variance."""
    return (freedom + dimensions) / 2 * np.log1p(squared / freedom)


def _misfit(squared: np.ndarray, part: np.ndarray, is_left: np.ndarray) -> np.ndarray:
    """(P,): how badly the other answers of an answer's part fit, 1 or more times what is expected; of those left.

    squared: (P,) mean over the dimensions of squared residuals by variance. A wrong answer makes its neighbours fit
    worse, and so excuses itself a little. Judging them without it (by the inverse without its row and column) was
    tried: it finds no more at the same rate of false warnings.
    """
    bounded = np.where(is_left, np.minimum(squared, MOST_SQUARED), 0)
    others = np.bincount(part, is_left)[part] - is_left
    total = np.bincount(part, bounded)[part] - bounded
    return np.maximum((total + PRIOR_ANSWERS) / (others + PRIOR_ANSWERS), 1)


def _seen_by_model(
    seen: Observations,
    own: np.ndarray,
    is_there: np.ndarray,
    mean: np.ndarray,
    covariance: np.ndarray,
    witness: ModelAnswers,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of places, as `Process.without_part` has them, after the model was heard of the same
    pixels."""
    is_known = is_there & witness.is_known[own]
    if not is_known.any():
        return mean, covariance
    said = np.where(is_known, (np.cumsum(witness.is_known) - 1)[own], 0)
    places = at_rest(witness.points)[said]  # (B, K, 3)
    apart_m = np.linalg.norm(places[:, :, None] - seen.rest[own][:, None], axis=3)
    is_known &= np.where(is_there[:, None], apart_m, np.inf).min(2) < WITNESS_REACH_M
    variance = np.where(is_known, ((ALIKE * _model_m(witness)) ** 2)[said], UNSEEN_M**2)
    gain = covariance @ np.linalg.inv(covariance + variance[:, :, None] * np.eye(own.shape[1]))
    told = np.where(is_known[..., None], places - seen.rest.mean(0) - mean, 0)
    return mean + gain @ told, covariance - gain @ covariance


def _model_m(witness: ModelAnswers) -> np.ndarray:
    """The standard deviation of the model's answers along each axis, metres, by their confidence."""
    return np.interp(witness.confidence, CONFIDENCE, MODEL_M)


def _pixels_per_metre(part: np.ndarray, xy: np.ndarray, rest: np.ndarray) -> float:
    """How large the person is in the photo: a high quantile over pairs within parts, as foreshortening only shrinks."""
    first, second = np.triu_indices(len(part), 1)
    same = part[first] == part[second]
    first, second = first[same], second[same]
    apart_m = np.linalg.norm(rest[first] - rest[second], axis=1)
    ratio = np.linalg.norm(xy[first] - xy[second], axis=1)[apart_m > 0.06] / apart_m[apart_m > 0.06]
    return max(float(np.percentile(ratio, 80)), 1e-6) if len(ratio) else 1.0
