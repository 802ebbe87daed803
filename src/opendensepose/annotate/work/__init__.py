"""The work of annotators: photos, tasks, edits, review, quality, and the database that keeps them."""

__all__: list[str] = []
