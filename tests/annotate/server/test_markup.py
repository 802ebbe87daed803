import jinja2
import pytest

from opendensepose.annotate.server.markup import render


def test_texts_are_escaped_and_only_a_sign_in_leads_on():
    page = render("message.html", sentence="<script>alert(1)</script>", is_signed_in=False)
    assert "&lt;script&gt;" in page and "<script" not in page and "refresh" not in page
    assert 'content="0;url=/"' in render("message.html", sentence="", is_signed_in=True)


def test_a_missing_value_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="sentence"):
        render("message.html", is_signed_in=False)
