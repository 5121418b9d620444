"""What a relay counts, for Prometheus: where messages come in and where they go out, each in its own process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class _Metrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()

    def text(self) -> bytes:
        """All of them as Prometheus reads them."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"fsbridge_relay_{name}", meaning, labels, registry=self._registry)

    def _histogram(self, name: str, meaning: str) -> Histogram:
        return Histogram(f"fsbridge_relay_{name}", meaning, registry=self._registry, buckets=_SECONDS)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"fsbridge_relay_{name}", meaning, registry=self._registry)


class FrontMetrics(_Metrics):
    """Of the HTTP API and the queue."""

    def __init__(self) -> None:
        super().__init__()
        self.acknowledged = self._counter("messages_acknowledged", "Messages on disk and acknowledged.", "type")
        self.refused = self._counter("requests_refused", "Requests answered with an error.", "code")
        self.answering = self._histogram("answer_seconds", "From a request's arrival to its answer.")
        self.waiting = self._gauge("messages_waiting", "Messages on disk that FullStory hasn't yet.")
        self.parked = self._gauge("parked_messages", "Parked messages on disk.")
        self.oldest = self._gauge("oldest_message_seconds", "Age of the oldest waiting message.")


class DeliveryMetrics(_Metrics):
    """Of what goes to FullStory."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered = self._counter("messages_delivered", "Messages that FullStory took.")
        self.ignored = self._counter("messages_ignored", "Messages that trigger no action of the destination.", "type")
        self.parked = self._counter("messages_parked", "Messages parked because FullStory rejects them.")
        self.retried = self._counter("deliveries_retried", "Attempts that will be repeated, by status.", "status")
        self.delivering = self._histogram("deliver_seconds", "One attempt to deliver a message.")
