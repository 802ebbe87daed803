"""Bodies without clothes: shape, face, joints and poses."""

__all__: list[str] = []
