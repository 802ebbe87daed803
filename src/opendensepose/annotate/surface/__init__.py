"""What annotators click on: pre-rendered views of the body surface, and what a click on them means."""

__all__: list[str] = []
