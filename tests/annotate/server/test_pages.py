"""The pages over HTTP: HTML that asks for no user, never kept by a cache without asking again."""

import pytest

TITLES = {"/": "Annotate", "/person/7": "Annotate", "/people": "People", "/manager": "Team", "/enter": "Sign in"}


@pytest.mark.parametrize("path", TITLES)
def test_pages_are_html_that_is_checked_again(alone, path):
    answer = alone.get(path)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    assert f"<title>{TITLES[path]} · opendensepose</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"
