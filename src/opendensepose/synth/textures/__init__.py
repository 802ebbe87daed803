"""Noise, fabrics, prints, texture atlases and materials."""

__all__: list[str] = []
