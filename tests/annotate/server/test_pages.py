"""The pages over HTTP: HTML that asks for no user, never kept by a cache without asking again."""

import pytest

TITLES = {"/": "Annotate", "/person/7": "Annotate", "/people": "People", "/manager": "Team", "/enter": "Sign in"}


@pytest.mark.parametrize("path", TITLES)
def test_pages_are_html_that_is_checked_again(alone, path):
    answer = alone.get(path)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    assert f"<title>{TITLES[path]} · opendensepose</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


def test_a_wrong_address_is_a_page_of_the_tool_too(alone):
    answer = alone.get("/nowhere")
    assert answer.status_code == 404 and "There is no such page." in answer.text and "base.css" in answer.text
    assert alone.get("/api/nowhere").json() == {"error": "There is no such page."}
    refused = alone.delete("/api/session")
    assert refused.status_code == 405 and refused.headers["allow"]
