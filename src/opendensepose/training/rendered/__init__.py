"""Rendered people as training samples without end, and the figures of a model on rendered and real pictures."""

__all__: list[str] = []
