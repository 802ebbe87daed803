"""How the 24 charts are made: cuts, and maps to the unit square."""

__all__: list[str] = []
