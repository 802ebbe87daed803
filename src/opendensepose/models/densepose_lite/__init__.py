"""DensePoseLite, the default model: its backbone, heads and losses, and how its output becomes people."""

__all__: list[str] = []
