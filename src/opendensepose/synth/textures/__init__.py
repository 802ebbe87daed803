"""Noise, fabrics, prints, and the store that kernels sample them from."""

__all__: list[str] = []
