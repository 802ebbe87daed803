"""The dense head's output: classes at stride 2, U and V at stride 4."""

import torch

from opendensepose.models.densepose_lite.dense_head import DenseHead, decide, person_logit


def test_shapes_and_start():
    torch.manual_seed(0)
    head = DenseHead(5, hidden_channels=8)
    output = head(torch.zeros(2, 5, 12, 9))
    assert output.chart_logits.shape == (2, 25, 24, 18)
    assert output.u.shape == output.v.shape == (2, 24, 12, 9)
    assert output.confidence_logit.shape == (2, 24, 18)
    torch.testing.assert_close(output.u, torch.full_like(output.u, 0.5))  # the middle of the chart is the first guess


def test_the_four_cells_of_a_feature_are_its_neighbourhood():
    """A feature at one stride-4 cell changes stride-2 cells near it only (3x3 convolution, then shuffle)."""
    torch.manual_seed(0)
    head = DenseHead(2, hidden_channels=4).eval()
    x = torch.zeros(1, 2, 7, 7)
    lit = x.clone()
    lit[..., 3, 3] = 5
    changed = (head(x).chart_logits - head(lit).chart_logits).abs().amax(1)[0] > 0
    rows, columns = torch.nonzero(changed, as_tuple=True)
    assert rows.min() >= 4 and rows.max() <= 9 and columns.min() >= 4 and columns.max() <= 9
    assert changed[6:8, 6:8].all()


def test_a_chart_wins_by_weight_against_background_and_by_probability_against_charts():
    chance = torch.full((25,), 1e-9)
    chance[[0, 4, 9]] = torch.tensor([0.6, 0.21, 0.19])
    assert decide(chance.log()[None])[0] == 4  # 3 * 0.21 > 0.6
    chance[[0, 4, 9]] = torch.tensor([0.62, 0.18, 0.2])
    assert decide(chance.log()[None])[0] == 0
    assert decide(1e3 * torch.eye(25)).tolist() == list(range(25))


def test_deciding_does_not_depend_on_where_the_classes_lie():
    logits = torch.randn(2, 25, 6, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(decide(logits)[1], decide(logits[1], axis=0))
    moved = decide(logits.movedim(1, 3), axis=3)
    assert torch.equal(decide(logits), moved)


def test_charts_that_share_a_pixel_speak_for_a_person_together():
    chance = torch.full((25,), 1e-9)
    chance[[0, 4, 9]] = torch.tensor([0.4, 0.35, 0.25])
    torch.testing.assert_close(person_logit(chance.log()[None])[0], torch.tensor(1.5).log(), atol=1e-4, rtol=0)
