import jinja2
import pytest

from opendensepose.annotate.server.markup import render


def test_texts_are_escaped():
    page = render("message.html", sentence="<script>alert(1)</script>")
    assert "&lt;script&gt;" in page and "<script" not in page


def test_a_missing_value_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="sentence"):
        render("message.html")
