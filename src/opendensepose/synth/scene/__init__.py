"""The contents of a picture: people, props, hard negatives, lights and cameras."""

__all__: list[str] = []
