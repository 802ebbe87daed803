from opendensepose.serve.metrics import Metrics


def test_what_is_counted_is_shown():
    metrics, other = Metrics(), Metrics()
    metrics.watch_queue(lambda: 7)
    metrics.on_batch(3, 0.4)
    metrics.answers.labels("200", "npz").inc()
    lines = metrics.text().decode().splitlines()
    assert "opendensepose_waiting 7.0" in lines
    assert "opendensepose_batch_size_sum 3.0" in lines
    assert 'opendensepose_batch_seconds_bucket{le="0.5"} 1.0' in lines
    assert 'opendensepose_answers_total{format="npz",status="200"} 1.0' in lines
    assert "opendensepose_batch_size_sum 0.0" in other.text().decode().splitlines()
