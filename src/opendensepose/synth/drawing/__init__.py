"""From triangles to a photo: rasteriser, shading, light, shadows, and a camera's effects."""

__all__: list[str] = []
