"""What the annotation tool will not do, with the HTTP status that says so."""

__all__ = ["Refused"]


class Refused(ValueError):
    """One sentence for the user. status: of HTTP. version: the task's present one where a stale one was sent."""

    def __init__(self, sentence: str, status: int = 400, version: int | None = None):
        super().__init__(sentence)
        self.status, self.version = status, version
