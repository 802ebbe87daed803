"""Geodesic distances between points of the surface: mesh, table, file, query."""

__all__: list[str] = []
