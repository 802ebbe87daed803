"""Procedural clothes: paint and thickness on the skin, and drapes that swing free of it."""

__all__: list[str] = []
