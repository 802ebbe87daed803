"""What a picture shows: people, their company, seats and things, cameras; and what only looks like people."""

__all__: list[str] = []
