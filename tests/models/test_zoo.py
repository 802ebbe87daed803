"""Architectures by name, and what may be asked of them."""

import pytest

from opendensepose.models.zoo import ARCHITECTURES, build_model


def test_unknown_names_list_the_known():
    with pytest.raises(ValueError, match="known: " + ", ".join(sorted(ARCHITECTURES))):
        build_model("nosuch")
