"""The number type of a network's forward pass in training."""

import torch

__all__ = ["autocast_dtype"]


def autocast_dtype(precision: str, device: torch.device | str) -> torch.dtype | None:
    """The number type of a recipe's forward pass on a device; None: float32 throughout.

    "auto" is bfloat16 on CUDA and on processors that multiply it natively (AVX-512 BF16 or AMX); others would take
    longer with it than with float32.
    """
    native = torch.device(device).type == "cuda" or torch.cpu.get_capabilities().get("avx512_bf16", False)
    return torch.bfloat16 if precision == "bfloat16" or (precision == "auto" and native) else None
