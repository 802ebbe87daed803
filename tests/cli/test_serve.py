"""`serve`: what it says where a library is missing."""

import pytest
from tests.cli.running import run

from opendensepose.cli.app import missing_extra


@pytest.mark.parametrize(
    ("module", "extra"),
    [("uvicorn", "serve"), ("prometheus_client", "serve"), ("torch", "models,serve"), ("openvino", "export")],
)
def test_a_missing_library_names_the_extra(module, extra):
    assert missing_extra("serve", module) == extra


def test_wrong_options_are_refused():
    assert run("serve", "--workers", 0).exit_code == 2
    assert run("serve", "--queue", 0).exit_code == 2
    assert run("serve", "--port", 70_000).exit_code == 2
