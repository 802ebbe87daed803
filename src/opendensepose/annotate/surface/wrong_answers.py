"""Answers that look wrong: far from where the other answers and the model put their points, or moved on by one.

Places on the body at rest are a smooth function of the pixel, within a part and less so across a joint: a Gaussian
process (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006). All other answers predict each answer
with a standard deviation: leave-one-out residuals (their equations 5.10 to 5.12), together with the distance from what
the model says of the pixel, tell single wrong answers. A part whose answers are likelier at the next point's pixel, or
at the one before, has slipped.

Letters: P answers; B parts; K answers of one part.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from opendensepose.annotate.surface.model_labels import ModelAnswers
from opendensepose.surface import SurfacePoints, load_surface

__all__ = ["Slip", "WrongAnswer", "answer_noise_m", "find_slips", "find_wrong_answers", "observe"]

PARENT = {14: 1, 11: 1, 13: 11, 2: 13, 10: 1, 12: 10, 3: 12, 6: 1, 8: 6, 5: 8, 7: 1, 9: 7, 4: 9}  # in the skeleton
# Standard deviation of a careful annotator's answer along each axis, metres; the paper's annotators are the worst on
# the torso (DensePose, Güler et al. 2018, section 3).
NOISE_M = {1: 0.04, 2: 0.012, 3: 0.012, 4: 0.015, 5: 0.015, 14: 0.015}
LIMB_NOISE_M = 0.025
ON_SKIN = 0.87  # of the noise: what of it lies along the normal is lost
# Of the process: amplitudes and lengths, metres, chosen by the likelihood of careful answers.
FAR_M, FAR_LENGTH_M = 0.35, 0.56
NEAR_M, NEAR_LENGTH_M = 0.036, 0.12
ACROSS_JOINT = 0.6  # the correlation of adjacent parts
ANYWHERE_M = 1.0
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
SURPRISE = 9.5  # of a wrong answer, at least
MOST_SQUARED = 30.0  # of one answer, where a part's fit is judged
PRIOR_ANSWERS = 3.0  # that fit as expected, added to each part
LEAST_M = 0.08  # an answer nearer to where it should be is not called wrong
MIN_ANSWERS, MOST_WRONG = 4, 20
LIKELIER = 3.1  # a slip, at least: log likelihood ratio by the misfit after it
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
    centre: np.ndarray  # (3,) metres, the mean of the places
    rest: np.ndarray  # (P, 3) metres, about the centre
    variance: np.ndarray  # (P,) of careful answers, along each axis

    @cached_property
    def precision(self) -> np.ndarray:
        """(P, P): the inverse of the answers' covariance, the same for x, y and z."""
        covariance = _covariance(self.part, self.xy_m, self.part, self.xy_m)
        return np.linalg.inv(covariance + np.diag(self.variance))


def answer_noise_m(part: np.ndarray) -> np.ndarray:
    """Return the standard deviation (P,) of careful answers along each axis, metres, by part (P,)."""
    table = np.full(15, LIMB_NOISE_M)
    table[list(NOISE_M)] = list(NOISE_M.values())
    return table[np.asarray(part, int)]


def observe(part: np.ndarray, xy: np.ndarray, points: SurfacePoints) -> Observations:
    """Collect P answers. part: (P,) 1..14. xy: (P, 2) pixels of the photo, in the order of presentation."""
    part, xy = np.asarray(part, int), np.asarray(xy, np.float64).reshape(-1, 2)
    rest = _at_rest(points)
    centre = rest.mean(0) if len(rest) else np.zeros(3)
    variance = (ON_SKIN * answer_noise_m(part)) ** 2
    return Observations(part, xy / _pixels_per_metre(part, xy, rest), centre, rest - centre, variance)


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
    mean, covariance = _predicted_without(seen, own, is_there)
    if witness is not None:
        mean, covariance = _seen_by_model(seen, own, is_there, mean, covariance, witness)
    covariance = covariance + seen.variance[own][:, :, None] * np.eye(count.max())
    # Letters: a, p: the first K - 1 answers or pixels of a part (0), or its last K - 1 (1).
    used = is_there[:, 1:]
    covariances = np.stack([covariance[:, :-1, :-1], covariance[:, 1:, 1:]])
    precision = np.linalg.inv(_padded(covariances, used))  # (p, B, K - 1, K - 1)
    answers, means = (np.stack([values[:, :-1], values[:, 1:]]) for values in (seen.rest[own], mean))
    residual = np.where(used[..., None], answers[:, None] - means, 0)  # (a, p, B, K - 1, 3)
    log_density, misfit = _likelihood(residual, precision, count - 1)  # (a, p, B) each
    here, there = log_density[[0, 1], [0, 1]], log_density[[0, 1], [1, 0]]
    return ((there - here) / misfit[[0, 1], [1, 0]]).T


def _padded(matrices: np.ndarray, is_there: np.ndarray) -> np.ndarray:
    """The matrices (..., B, K, K), with the identity in rows and columns that are not there (B, K)."""
    return np.where(is_there[:, :, None] & is_there[:, None], matrices, np.eye(is_there.shape[1]))


def find_wrong_answers(
    seen: Observations, points: SurfacePoints, witness: ModelAnswers | None = None
) -> Iterator[WrongAnswer]:
    """Yield single wrong answers, the most surprising first; each is left out before the next is judged.

    points: the answers that were observed. witness: what the model says of their pixels, None without a model.
    """
    rest, part, precision = seen.rest.copy(), seen.part, seen.precision
    by_model, is_left = _model_surprise(part, points, witness), np.ones(len(part), bool)
    for _ in range(min(MOST_WRONG, len(part) + 1 - MIN_ANSWERS)):
        residual, squared = _left_out(rest, precision)
        distance = np.linalg.norm(residual, axis=1)
        surprise = _student(squared / _misfit(squared, part, is_left), FREEDOM) + by_model
        surprise[(distance < LEAST_M) | ~is_left] = 0
        k = int(surprise.argmax())
        if surprise[k] <= SURPRISE:
            return
        yield WrongAnswer(k, float(distance[k]), bool(by_model[k] > 0))
        # The inverse without row and column k; in them the identity, so that k takes no part in what follows.
        precision = precision - np.outer(precision[:, k], precision[k]) / precision[k, k]
        precision[k], precision[:, k], precision[k, k] = 0, 0, 1
        rest[k], is_left[k] = 0, False


def _model_surprise(part: np.ndarray, points: SurfacePoints, witness: ModelAnswers | None) -> np.ndarray:
    """(P,): how much the model speaks against each answer (above 0) or for it; 0 where it says nothing."""
    against = np.zeros(len(part))
    if witness is not None and witness.is_known.any():
        known = np.flatnonzero(witness.is_known)
        squared_m = ((_at_rest(points)[known] - _at_rest(witness.points)) ** 2).sum(1)
        variance = answer_noise_m(part[known]) ** 2 + _model_m(witness) ** 2
        surprise = np.minimum(_student(squared_m / variance, MODEL_FREEDOM), WITNESS_MOST)
        against[known] = WITNESS_WEIGHT * (surprise - WITNESS_AGREES)
    return against


def _student(squared: np.ndarray, freedom: float) -> np.ndarray:
    """Minus the log density of Student's t in three dimensions, up to a constant; squared: by the variance."""
    return (freedom + 3) / 2 * np.log1p(squared / freedom)


def _misfit(squared: np.ndarray, part: np.ndarray, is_left: np.ndarray) -> np.ndarray:
    """(P,): how badly the other answers of an answer's part fit, 1 or more times what is expected; of those left.

    A wrong answer makes its neighbours fit worse, and so excuses itself a little. Judging them without it (by the
    inverse without its row and column) was tried: it finds no more at the same rate of false warnings.
    """
    bounded = np.where(is_left, np.minimum(squared, MOST_SQUARED), 0)
    others = np.bincount(part, is_left)[part] - is_left
    total = np.bincount(part, bounded)[part] - bounded
    return np.maximum((total + 3 * PRIOR_ANSWERS) / (others + PRIOR_ANSWERS) / 3, 1)  # 3: of three dimensions


def _left_out(rest: np.ndarray, precision: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (P, 3), metres, of each answer from what all others predict, and their squares by variance (P,)."""
    diagonal = np.diag(precision)
    residual = (precision @ rest) / diagonal[:, None]
    return residual, (residual**2).sum(1) * diagonal


def _predicted_without(seen: Observations, own: np.ndarray, is_there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (B, K, 3) and covariance (B, K, K) of places at the pixels of each part's answers `own` (B, K), from all the
    answers of other parts: their equation 5.12 for several answers at once, without the noise of an answer."""
    of_answers = np.linalg.inv(_padded(seen.precision[own[:, :, None], own[:, None]], is_there))
    pull = np.where(is_there[..., None], (seen.precision @ seen.rest)[own], 0)
    noise = np.where(is_there, seen.variance[own], 0)[:, :, None] * np.eye(own.shape[1])
    return seen.rest[own] - of_answers @ pull, of_answers - noise


def _seen_by_model(
    seen: Observations,
    own: np.ndarray,
    is_there: np.ndarray,
    mean: np.ndarray,
    covariance: np.ndarray,
    witness: ModelAnswers,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance, as `_predicted_without` has them, after the model was heard of the same pixels."""
    is_known = is_there & witness.is_known[own]
    if not is_known.any():
        return mean, covariance
    said = np.where(is_known, (np.cumsum(witness.is_known) - 1)[own], 0)
    places = (_at_rest(witness.points) - seen.centre)[said]  # (B, K, 3)
    apart_m = np.linalg.norm(places[:, :, None] - seen.rest[own][:, None], axis=3)
    is_known &= np.where(is_there[:, None], apart_m, np.inf).min(2) < WITNESS_REACH_M
    variance = np.where(is_known, ((ALIKE * _model_m(witness)) ** 2)[said], UNSEEN_M**2)
    gain = covariance @ np.linalg.inv(covariance + variance[:, :, None] * np.eye(own.shape[1]))
    return mean + gain @ np.where(is_known[..., None], places - mean, 0), covariance - gain @ covariance


def _model_m(witness: ModelAnswers) -> np.ndarray:
    """The standard deviation of the model's answers along each axis, metres, by their confidence."""
    return np.interp(witness.confidence, CONFIDENCE, MODEL_M)


def _likelihood(residual: np.ndarray, precision: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log density of places under a Gaussian, without the constant, and how badly they fit, as `_misfit` says; (...).

    residual: (..., K, 3) metres, 0 where padded. precision: (..., K, K), the same for x, y and z. count: (...), of K.
    """
    pull = precision @ residual
    squared = (residual * pull).sum((-2, -1))
    left_out = ((pull**2).sum(-1) / np.diagonal(precision, axis1=-2, axis2=-1)).sum(-1)
    return 1.5 * np.linalg.slogdet(precision)[1] - 0.5 * squared, np.maximum(left_out / count / 3, 1)


def _covariance(part_a: np.ndarray, a: np.ndarray, part_b: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(A, B) square metres: the process's covariance between pixels a (A, 2) and b (B, 2), in metres."""
    squared = ((a[:, None] - b[None]) ** 2).sum(2)
    smooth = FAR_M**2 * np.exp(squared / (-2 * FAR_LENGTH_M**2))
    smooth += NEAR_M**2 * np.exp(squared / (-2 * NEAR_LENGTH_M**2))
    return ANYWHERE_M**2 + _correlations()[part_a[:, None], part_b[None]] * smooth


@cache
def _correlations() -> np.ndarray:
    """(15, 15): of two parts, ACROSS_JOINT to the power of the joints between them."""
    table = np.ones((15, 15))
    for a in range(1, 15):
        for b in range(1, 15):
            table[a, b] = ACROSS_JOINT ** len(set(_to_root(a)) ^ set(_to_root(b)))
    return table


def _to_root(part: int) -> list[int]:
    """A part, its parent, its parent's parent, ..., the torso."""
    return [part, *_to_root(PARENT[part])] if part in PARENT else [part]


def _at_rest(points: SurfacePoints) -> np.ndarray:
    """Places (P, 3) float64 on the body at rest."""
    surface = load_surface()
    return points.xyz(surface.vertices, surface.faces).astype(np.float64)


def _pixels_per_metre(part: np.ndarray, xy: np.ndarray, rest: np.ndarray) -> float:
    """How large the person is in the photo: a high quantile over pairs within parts, as foreshortening only shrinks."""
    first, second = np.triu_indices(len(part), 1)
    same = part[first] == part[second]
    first, second = first[same], second[same]
    apart_m = np.linalg.norm(rest[first] - rest[second], axis=1)
    ratio = np.linalg.norm(xy[first] - xy[second], axis=1)[apart_m > 0.06] / apart_m[apart_m > 0.06]
    return max(float(np.percentile(ratio, 80)), 1e-6) if len(ratio) else 1.0
