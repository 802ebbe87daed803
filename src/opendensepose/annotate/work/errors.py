"""The error of a request that cannot be fulfilled, with the HTTP status that says why."""

__all__ = ["RequestError"]


class RequestError(ValueError):
    """Hold one sentence for the user, the HTTP status, and the task's current version if an outdated one was sent."""

    def __init__(self, sentence: str, status: int = 400, version: int | None = None):
        super().__init__(sentence)
        self.status, self.version = status, version
