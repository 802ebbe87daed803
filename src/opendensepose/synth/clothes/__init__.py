"""Procedural clothes: paint and thickness on the skin, and pieces that hang free of it."""

__all__: list[str] = []
