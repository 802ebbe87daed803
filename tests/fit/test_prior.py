"""The prior: by hand of few poses; the file's covers our poses."""

import numpy as np
import pytest
from tests.fit.people import fitter

from opendensepose.fit.prior import LEAST_SPREAD, LIMIT_MARGIN, SHAPE_MEAN, SHAPE_SPREAD, load_pose_prior, pose_prior_of
from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import sample_family, sample_posture


def test_of_two_poses():
    prior = pose_prior_of(np.array([[0.0, 0.0], [1.0, 0.0]]), np.zeros((1, 2)))
    assert prior.mean.tolist() == [0.5, 0]
    assert prior.covariance == pytest.approx(np.diag([0.5, LEAST_SPREAD**2]))
    assert prior.precision @ prior.covariance == pytest.approx(np.eye(2))
    assert prior.low[1] == pytest.approx(-LIMIT_MARGIN)


def test_the_file_is_of_this_space_and_of_our_poses():
    prior, space, rng = load_pose_prior(), fitter().skeleton.space, np.random.default_rng(5)
    postures = [sample_posture(load_body(), rng, sample_family(rng, actions=True)) for _ in range(60)]
    poses = space.from_matrices(np.stack([one.rotations[:, :3, :3] for one in postures]))
    off = poses - prior.mean
    distance = np.einsum("mp,pq,mq->m", off, prior.precision, off)
    assert prior.starts.shape[1] == space.num_parameters == len(prior.mean)
    assert 0.3 * len(prior.mean) < np.median(distance) < 1.5 * len(prior.mean)  # chi-square's mean is the number
    assert ((poses > prior.low) & (poses < prior.high)).mean() > 0.999


def test_each_phenotype_has_a_prior():
    assert SHAPE_MEAN.keys() == SHAPE_SPREAD.keys() == set(load_body().phenotypes)
