"""The annotation tool: from pixels of a person to points of the body surface, by clicks on pre-rendered views."""

__all__: list[str] = []
