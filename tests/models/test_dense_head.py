"""The dense head's output: classes at stride 2, U and V at stride 4."""

import torch

from opendensepose.models.dense_head import DenseHead


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
