"""DensePose R-CNN and its multi-task cascade: proposals, heads, training samples, decoding."""

__all__: list[str] = []
