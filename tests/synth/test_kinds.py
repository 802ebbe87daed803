"""Kinds are drawn by their weights, by hand on three."""

import numpy as np
import pytest

from opendensepose.synth.kinds import Kind, draw_kind, slots_by_kind

THREE = {"often": Kind(3, int), "seldom": Kind(1, int), "never": Kind(0, int)}


def test_kinds_are_drawn_in_proportion_to_their_weights():
    rng = np.random.default_rng(0)
    drawn = [draw_kind(rng, THREE) for _ in range(2000)]
    assert set(drawn) == {"often", "seldom"}
    assert drawn.count("often") / len(drawn) == pytest.approx(0.75, abs=0.04)


def test_a_given_kind_draws_nothing_and_an_unknown_one_is_named():
    rng, untouched = np.random.default_rng(0), np.random.default_rng(0)
    assert draw_kind(rng, THREE, "never") == "never" and rng.random() == untouched.random()
    with pytest.raises(ValueError, match="hat must be one of often, seldom, never, got 'top hat'"):
        draw_kind(rng, THREE, "top hat", "hat")


@pytest.mark.parametrize("num_slots", [3, 10, 48])
def test_every_slot_belongs_to_exactly_one_kind_and_every_kind_has_one(num_slots):
    slots = slots_by_kind(THREE, num_slots)
    assert [slot for own in slots.values() for slot in own] == list(range(num_slots))
    assert all(len(own) > 0 for own in slots.values())
    assert len(slots["often"]) >= len(slots["seldom"]) >= len(slots["never"])
