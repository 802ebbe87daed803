"""Hostile requests to every endpoint: no server's error, safe headers, no leak. `benchmarks/annotate_fuzz.py`: more."""

from tests.annotate.fuzzing import Attack

NUM_REQUESTS = 500


def test_no_request_is_a_servers_error_or_shows_anothers_work(store, tmp_path):
    attack = Attack(store, tmp_path / "photos", seed=4)
    attack.run(NUM_REQUESTS)
    assert not attack.problems, "\n".join(attack.problems[:10])
    assert attack.codes[200] > NUM_REQUESTS / 20  # not all of it is refused at the door
