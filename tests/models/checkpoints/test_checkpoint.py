"""A checkpoint rebuilds its model, or says in a sentence why not."""

import json

import pytest
import torch
from safetensors.torch import save_file

from opendensepose.models.checkpoints.checkpoint import WEIGHTS, load_checkpoint, save_checkpoint, weights_path
from opendensepose.models.zoo import build_model

TINY = {
    "widths": (4, 4, 4, 4),
    "depths": (0, 0, 0, 0),
    "dense_channels": 4,
    "detection_channels": 4,
    "crop_hw": (48, 24),
}


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = build_model("densepose_lite", **TINY)
    model(torch.rand(2, 3, 64, 64) * 255)  # moves the batch norm statistics
    return model.eval()


def test_the_model_comes_back(tmp_path, model):
    save_checkpoint(tmp_path / "a.safetensors", model, "densepose_lite", TINY, {"name": "r"}, {"fg_iou": 0.5})
    back = load_checkpoint(tmp_path / "a.safetensors")
    image = torch.rand(1, 3, 48, 24) * 255
    for a, b in zip(model.label(image), back.model.label(image), strict=True):
        torch.testing.assert_close(a, b)
    assert back.model.crop_hw == (48, 24) and not back.model.training
    assert (back.architecture, back.recipe, back.scores) == ("densepose_lite", {"name": "r"}, {"fg_iou": 0.5})
    assert back.version and [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_half_precision_on_disk_is_float32_again(tmp_path, model):
    save_checkpoint(tmp_path / "a.safetensors", model, "densepose_lite", TINY, dtype=torch.float16)
    save_checkpoint(tmp_path / "b.safetensors", model, "densepose_lite", TINY)
    assert (tmp_path / "a.safetensors").stat().st_size < (tmp_path / "b.safetensors").stat().st_size
    back = load_checkpoint(tmp_path / "a.safetensors").model
    for name, value in model.state_dict().items():
        assert back.state_dict()[name].dtype == value.dtype
        torch.testing.assert_close(back.state_dict()[name], value, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("side", [128, None])
def test_files_from_before_the_network_s_name_still_load(tmp_path, side):
    """It was called glance_look, and had three sides to detect at, one of them given here and one by default."""
    model = build_model("densepose_lite", **TINY, detect_sides=(64, 160, *[side][: side is not None])).eval()
    kwargs = {name: value for name, value in TINY.items() if name != "crop_hw"} | {"look_hw": (48, 24)}
    old = kwargs | {"first_look_hw": (32, 16), "glance_side": 64, "far_glance_side": side}
    save_checkpoint(tmp_path / "old.safetensors", model, "glance_look", old)
    back = load_checkpoint(tmp_path / "old.safetensors")
    assert (back.model.crop_hw, back.model.refine_hw) == ((48, 24), (32, 16))
    assert back.model.detect_sides == model.detect_sides
    save_checkpoint(tmp_path / "new.safetensors", back.model, back.architecture, back.kwargs)
    assert load_checkpoint(tmp_path / "new.safetensors").architecture == "densepose_lite"


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
    save_checkpoint(tmp_path / "other.safetensors", model, "densepose_lite", TINY | {"dense_channels": 5})
    with pytest.raises(ValueError, match="do not fit"):
        load_checkpoint(tmp_path / "other.safetensors")


def test_the_metadata_is_json(tmp_path, model):
    from safetensors import safe_open

    save_checkpoint(tmp_path / "a.safetensors", model, "densepose_lite", TINY)
    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        about = json.loads(file.metadata()["about"])
    assert about["kwargs"]["crop_hw"] == [48, 24]


def test_unknown_names_list_the_known_models():
    with pytest.raises(ValueError, match="known models: " + ", ".join(sorted(WEIGHTS))):
        weights_path("nosuch")


def test_a_file_is_its_own_path(tmp_path):
    (tmp_path / "mine.safetensors").touch()
    assert weights_path(tmp_path / "mine.safetensors") == tmp_path / "mine.safetensors"
