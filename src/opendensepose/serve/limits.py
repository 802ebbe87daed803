"""What one client may ask of the service, and how much may wait."""

from dataclasses import dataclass, fields

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """max_bytes: of a request's body. max_pixels: of a photo, before it is decoded. queue: how many photos may wait.
    deadline_s: from the photo's arrival to its answer; a worker that takes longer for one is stopped. upload_s: how
    long a body may take to arrive. held_bytes: of all bodies that have arrived or are arriving. batch: how many photos
    are labelled together, batch_wait_s: how long the first of them waits for others. ValueError unless all are
    positive.
    """

    max_bytes: int = 25_000_000
    max_pixels: int = 30_000_000
    queue: int = 64
    deadline_s: float = 30.0
    upload_s: float = 30.0
    held_bytes: int = 500_000_000
    batch: int = 4
    batch_wait_s: float = 0.005

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < float("inf"):
                raise ValueError(f"{field.name} must be positive, got {value}.")
