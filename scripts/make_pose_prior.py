"""Makes src/opendensepose/fit/pose_prior.npz from our synthetic poses: mean, covariance, limits, and typical poses.

python scripts/make_pose_prior.py
"""

import numpy as np
from sklearn.cluster import KMeans

from opendensepose.fit.posed_points import Skeleton
from opendensepose.fit.prior import FILE, pose_prior_of
from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import sample_family, sample_posture

NUM_POSES, NUM_STARTS = 8000, 32


def main() -> None:
    body, rng = load_body(), np.random.default_rng(0)
    space = Skeleton(body).space
    postures = [sample_posture(body, rng, sample_family(rng, actions=True)) for _ in range(NUM_POSES)]
    poses = space.from_matrices(np.stack([one.rotations[:, :3, :3] for one in postures]))
    clusters = KMeans(NUM_STARTS, n_init=1, random_state=0).fit(poses)
    often_first = np.argsort(-np.bincount(clusters.labels_, minlength=NUM_STARTS))
    prior = pose_prior_of(poses, clusters.cluster_centers_[often_first])
    np.savez_compressed(FILE, **{name: value.astype(np.float32) for name, value in vars(prior).items()})
    print(f"{FILE}: {FILE.stat().st_size} bytes, {poses.shape[1]} numbers of a pose")


if __name__ == "__main__":
    main()
