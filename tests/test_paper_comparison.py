"""The comparison of the paper's networks: its intervals, its annotators, its labels, and that cached features are the
network's own."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from opendensepose.instance import DenseAnnotation
from opendensepose.models.rcnn.samples import RegionSamples
from opendensepose.models.targets import DenseLabels, Targets
from opendensepose.surface import CHART_TO_PART

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import paper_comparison  # noqa: E402
from paper.features import CELLS, CHANNELS, FrozenEncoder, at_stride_8, pooled  # noqa: E402
from paper.intervals import difference, figure, interval, stacked  # noqa: E402
from paper.labels import balanced, nearest_labels  # noqa: E402
from paper.networks import FrozenFCN, region_network  # noqa: E402
from paper.people import Annotators, window_of  # noqa: E402


@pytest.fixture(scope="module")
def encoder():
    return FrozenEncoder()


def person(number=20) -> DenseAnnotation:
    rng = np.random.default_rng(0)
    mask = np.zeros((256, 256), np.uint8)
    mask[:, :128], mask[:, 128:] = CHART_TO_PART[2], CHART_TO_PART[23]
    point_xy = np.array([10, 20]) + rng.uniform(0, 1, (number, 2)) * [40, 80]
    i = np.where(point_xy[:, 0] < 30, 2, 23).astype(np.uint8)
    u, v = rng.uniform(0.3, 0.7, (2, number)).astype(np.float32)
    return DenseAnnotation(
        annotation_id=7, image_id=1, box_xyxy=np.array([10, 20, 50, 100], np.float32), point_xy=point_xy, i=i, u=u, v=v,
        mask=mask, area=3200.0, iscrowd=False,
    )  # fmt: skip


def test_a_figure_and_its_interval_by_hand():
    num_points = np.array([10.0, 30])
    sums = np.array([[10.0, 0], [0, 30]])  # one seed is right about the first person, the other about the second
    assert figure(sums, num_points) == pytest.approx((10 / 40 + 30 / 40) / 2)
    low, high = interval(sums, num_points)
    assert low == 0 and high == 1  # twice the same person with the same seed is among the draws
    assert interval(np.full((3, 2), 1.0) * num_points / 2, num_points) == (0.5, 0.5)


def test_a_difference_is_paired():
    rng = np.random.default_rng(0)
    num_points = rng.integers(5, 50, 40).astype(float)
    sums = rng.uniform(0, 1, (3, 40)) * num_points
    assert difference(sums, sums, num_points) == (0, 0, 0)
    better = difference(sums, sums + 0.125 * num_points, num_points)
    assert better == pytest.approx((0.125, 0.125, 0.125))
    assert difference(sums[:2], sums + 0.125 * num_points, num_points)[1:] == pytest.approx((0.125, 0.125))


def test_sums_are_kept_as_hundredths():
    runs = [np.array([[100], [200], [300], [400]], np.uint16), np.array([[1], [2], [3], [4]], np.uint16)]
    assert stacked(runs, "found_auc10").tolist() == [[3.0], [0.03]]


def test_annotators_leave_points_out_and_err_the_same_each_time():
    true = person()
    assert Annotators()(true) is true
    few = Annotators(share=0.25)(true)
    assert len(few.i) == len(few.point_xy) == 5 and set(map(tuple, few.point_xy)) < set(map(tuple, true.point_xy))
    wrong = [Annotators(noise=0.05)(true) for _ in range(2)]
    assert (wrong[0].u == wrong[1].u).all() and (wrong[0].u != true.u).all() and (wrong[0].i == true.i).all()
    assert 0.01 < np.abs(wrong[0].v - true.v).mean() < 0.1


def test_nearest_labels_by_all_distances():
    one = person()
    labels = nearest_labels([one], (120, 64))
    assert (labels.i > 0).sum() == 40 * 80 and ((labels.person == 1) == (labels.i > 0)).all()
    for row, column in ((25, 12), (60, 29), (60, 31), (99, 49)):
        away = np.hypot(*(one.point_xy - [column + 0.5, row + 0.5]).T)
        away[one.i != (2 if column < 30 else 23)] = np.inf
        assert labels.u[row, column] == one.u[away.argmin()] and labels.i[row, column] == one.i[away.argmin()]


def test_balanced_labels_have_as_many_of_each_part():
    i = np.zeros((100, 100), np.uint8)
    i[:60], i[60:75], i[75:90] = 2, 23, 3  # 6000, 1500 and 1500 pixels
    zero = np.zeros((100, 100), np.float32)
    labels = balanced(DenseLabels(i, zero, zero, np.ones((100, 100), np.uint8)))
    assert (labels.i[60:] == i[60:]).all() and set(np.unique(labels.i)) == {0, 2, 3, 23}
    assert 1300 < (labels.i == 2).sum() < 1700


def one_target() -> Targets:
    return Targets(
        boxes=torch.tensor([[40.0, 32, 72, 96]]), parts=torch.full((1, 256, 256), 1, dtype=torch.uint8),
        annotated=torch.tensor([True]), keypoints=torch.tensor([[[50.0, 50, 2]] * 17]),
        point_xy=torch.tensor([[50.5, 60.5]]), point_i=torch.tensor([2]), point_uv=torch.tensor([[0.5, 0.25]]),
        point_person=torch.tensor([0]), ignored=torch.zeros(0, 4),
    )  # fmt: skip


def test_a_window_moves_all_that_is_known():
    labels = torch.arange(128 * 128).reshape(128, 128)
    dense = DenseLabels(labels, labels.half(), labels.half(), labels)
    moved = window_of(Targets(**vars(one_target()) | {"dense": dense}), (32, 16), 64)
    assert moved.boxes.tolist() == [[8, 16, 40, 80]] and moved.point_xy.tolist() == [[18.5, 44.5]]
    assert moved.keypoints[0, 0].tolist() == [18, 34, 2] and moved.dense.i[0, 0] == 16 * 128 + 32
    assert moved.dense.u.dtype == torch.float32 and moved.dense.i.shape == (64, 64)


def test_the_fcn_on_cached_features_is_the_fcn_on_images(encoder):
    torch.manual_seed(0)
    images = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8)
    network = FrozenFCN(encoder, (64, 96)).eval()
    with torch.no_grad():
        levels = encoder(images)
        assert at_stride_8(levels).shape == (2, sum(CHANNELS), 8, 12)
        for one, other in zip(network(list(images)), network.output(levels), strict=True):
            assert one.shape == (2, 25, 16, 24)
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("tasks", [{}, {"cascade": True, "keypoints": True, "masks": True}])
def test_heads_learn_from_pooled_regions_and_the_encoder_does_not(encoder, tasks):
    torch.manual_seed(0)
    network, target = region_network(**tasks), one_target()
    features = pooled(encoder(torch.randint(0, 256, (1, 3, 96, 128), dtype=torch.uint8)), target.boxes)
    assert features.shape == (1, sum(CHANNELS), CELLS, CELLS)
    losses = network.dense_losses([features], [RegionSamples(target.boxes, torch.tensor([0]))], [target])
    assert {"coarse", "coarse_points", "chart", "u", "v"} <= set(losses)
    sum(losses.values()).backward()
    assert all(one.grad is not None and one.grad.isfinite().all() for one in network.parameters())
    assert not any(one.requires_grad for one in encoder.parameters())


def test_every_run_is_in_the_plan_once_and_has_a_name_of_its_own():
    for stage in paper_comparison.STAGES:
        runs = paper_comparison.runs_of(stage, 100, 60)
        assert len(set(runs)) == len(runs)
        assert all(run.line in paper_comparison.LINES for run in runs)
    named = paper_comparison.Run("rcnn", 1, 100, 60, 1e-3, Annotators(share=0.1))
    assert named.name == "rcnn-test-60-0.1-0.0-100-0.001-1"


def test_a_table_grows_by_rows(tmp_path):
    for k in range(2):
        paper_comparison.append(tmp_path / "new" / "runs.csv", {"a": f"{k}", "b": "x"})
    assert (tmp_path / "new" / "runs.csv").read_text() == "a,b\n0,x\n1,x\n"
