"""The browser and the surface of the page's tests, started once per module."""

import pytest
from tests.annotate.browser import BlankPictures, Hands, launched, open_page, serving


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def surface():
    return BlankPictures()


@pytest.fixture
def server(tmp_path, surface):
    """A server for one user, with one photo and nobody in it."""
    with serving(tmp_path / "one", surface) as server:
        yield server


@pytest.fixture
def hands(browser, server):
    with open_page(browser, server) as page:
        page.wait_for_selector("#empty-title:has-text('No person')")
        yield Hands(page, server)
