"""What Prometheus reads at /metrics."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
SIZES = (1, 2, 3, 4, 6, 8, 16, 32)


class Metrics:
    """Counters and histograms of one app, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.answers = Counter(
            "opendensepose_answers", "Answers of /v1/predict.", ["status", "format"], registry=self._registry
        )
        self.seconds = Histogram(
            "opendensepose_answer_seconds", "From a photo's arrival to its answer, status 200.",
            registry=self._registry, buckets=SECONDS,
        )  # fmt: skip
        self.people = Counter("opendensepose_people", "People found.", registry=self._registry)
        self.received = Counter("opendensepose_received_bytes", "Bytes of bodies received.", registry=self._registry)
        self.batch_size = Histogram(
            "opendensepose_batch_size", "Photos labelled together.", registry=self._registry, buckets=SIZES
        )
        self.batch_seconds = Histogram(
            "opendensepose_batch_seconds", "How long a batch took.", registry=self._registry, buckets=SECONDS
        )
        self.restarts = Counter(
            "opendensepose_worker_restarts", "Worker processes that died or hung.", registry=self._registry
        )
        self._waiting = Gauge("opendensepose_waiting", "Photos that wait for a worker.", registry=self._registry)
        ProcessCollector(registry=self._registry)

    def on_batch(self, size: int, seconds: float) -> None:
        """See `BatchObserver`."""
        self.batch_size.observe(size)
        self.batch_seconds.observe(seconds)

    def watch_queue(self, num_waiting: Callable[[], int]) -> None:
        """Ask so for the length of the queue when the metrics are read."""
        self._waiting.set_function(num_waiting)

    def text(self) -> bytes:
        """Return all in Prometheus' text format, of the type CONTENT_TYPE."""
        return generate_latest(self._registry)
