"""Plans hold the people that are asked for, and hard negatives where they are enabled."""

import numpy as np
import pytest

from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import ORDINARY
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.scene.plan import plan_picture

SIZE = (96, 128)


def test_a_tenth_of_scenes_has_no_people_but_things_like_them():
    body = load_body()
    plans = [plan_picture(body, np.random.default_rng(s), SIZE, "scene", None, Ingredients()) for s in range(300)]
    share = np.mean([not plan.people and len(plan.negative_spots) > 0 for plan in plans])
    assert 0.06 < share < 0.16


@pytest.mark.parametrize("framing", ["portrait", "scene"])
def test_nothing_new_is_planned_for_version_1(framing):
    body = load_body()
    for seed in range(40):
        plan = plan_picture(body, np.random.default_rng(seed), (64, 48), framing, None, Ingredients.version_1())
        assert len(plan.negative_spots) == 0 and len(plan.people) <= 6
        assert all(p.posture.family in ORDINARY and p.posture.lift_m == 0 for p in plan.people)
