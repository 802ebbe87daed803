"""The number type that a precision stands for."""

import torch

from opendensepose.training.precision import autocast_dtype


def test_the_number_type_is_the_recipe_s_or_what_the_device_is_fast_with(monkeypatch):
    assert autocast_dtype("float32", "cuda") is None and autocast_dtype("bfloat16", "cpu") is torch.bfloat16
    assert autocast_dtype("auto", "cuda") is torch.bfloat16
    for native, expected in ((True, torch.bfloat16), (False, None)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda native=native: {"avx512_bf16": native})
        assert autocast_dtype("auto", "cpu") is expected
