import pytest

from opendensepose.serve.limits import Limits


@pytest.mark.parametrize("wrong", [{"queue": 0}, {"deadline_s": float("nan")}, {"max_bytes": -1}])
def test_limits_are_positive(wrong):
    assert Limits().queue > 0
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be positive, got"):
        Limits(**wrong)
