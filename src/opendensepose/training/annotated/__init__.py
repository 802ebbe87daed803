"""Annotated images as training samples: read, augmented, drawn in batches; figures on a validation set."""

__all__: list[str] = []
