"""Names of models."""

import pytest

from opendensepose.models.checkpoints.released import WEIGHTS, weights_path
from opendensepose.models.zoo import ARCHITECTURES, build_model


def test_unknown_names_list_the_known():
    with pytest.raises(ValueError, match="known: " + ", ".join(sorted(ARCHITECTURES))):
        build_model("nosuch")
    with pytest.raises(ValueError, match="known models: " + ", ".join(sorted(WEIGHTS))):
        weights_path("nosuch")


def test_a_file_is_its_own_path(tmp_path):
    (tmp_path / "mine.safetensors").touch()
    assert weights_path(tmp_path / "mine.safetensors") == tmp_path / "mine.safetensors"
