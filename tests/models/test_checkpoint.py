"""A checkpoint rebuilds its model, or says in a sentence why not."""

import json

import pytest
import torch
from safetensors.torch import save_file

from opendensepose.models.checkpoint import load_checkpoint, save_checkpoint
from opendensepose.models.zoo import build_model

TINY = {
    "widths": (4, 4, 4, 4),
    "depths": (0, 0, 0, 0),
    "dense_channels": 4,
    "detection_channels": 4,
    "look_hw": (48, 24),
}


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = build_model("glance_look", **TINY)
    model(torch.rand(2, 3, 64, 64) * 255)  # moves the batch norm statistics
    return model.eval()


def test_the_model_comes_back(tmp_path, model):
    save_checkpoint(tmp_path / "a.safetensors", model, "glance_look", TINY, {"name": "r"}, {"fg_iou": 0.5})
    back = load_checkpoint(tmp_path / "a.safetensors")
    image = torch.rand(1, 3, 48, 24) * 255
    for a, b in zip(model.look(image), back.model.look(image), strict=True):
        torch.testing.assert_close(a, b)
    assert back.model.look_hw == (48, 24) and not back.model.training
    assert (back.architecture, back.recipe, back.scores) == ("glance_look", {"name": "r"}, {"fg_iou": 0.5})
    assert back.version and [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_half_precision_on_disk_is_float32_again(tmp_path, model):
    save_checkpoint(tmp_path / "a.safetensors", model, "glance_look", TINY, dtype=torch.float16)
    save_checkpoint(tmp_path / "b.safetensors", model, "glance_look", TINY)
    assert (tmp_path / "a.safetensors").stat().st_size < (tmp_path / "b.safetensors").stat().st_size
    back = load_checkpoint(tmp_path / "a.safetensors").model
    for name, value in model.state_dict().items():
        assert back.state_dict()[name].dtype == value.dtype
        torch.testing.assert_close(back.state_dict()[name], value, atol=1e-3, rtol=1e-3)


def test_wrong_files_are_named(tmp_path, model):
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        load_checkpoint(tmp_path / "gone.safetensors")
    text = tmp_path / "text.safetensors"
    text.write_text("no tensors here")
    with pytest.raises(ValueError, match="is not a checkpoint"):
        load_checkpoint(text)
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ValueError, match="is not a checkpoint of opendensepose"):
        load_checkpoint(tmp_path / "foreign.safetensors")
    save_checkpoint(tmp_path / "other.safetensors", model, "glance_look", TINY | {"dense_channels": 5})
    with pytest.raises(ValueError, match="do not fit"):
        load_checkpoint(tmp_path / "other.safetensors")


def test_the_metadata_is_json(tmp_path, model):
    from safetensors import safe_open

    save_checkpoint(tmp_path / "a.safetensors", model, "glance_look", TINY)
    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        about = json.loads(file.metadata()["about"])
    assert about["kwargs"]["look_hw"] == [48, 24]
