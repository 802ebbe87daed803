"""From triangles to a photo: rasteriser, shading, light, shadows, and what a camera does to a picture."""

__all__: list[str] = []
