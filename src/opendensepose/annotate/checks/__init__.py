"""What a person's answers are checked by: each other, the body at rest, and what a model says of the same pixels."""

__all__: list[str] = []
