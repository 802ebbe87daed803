import pytest
from starlette.datastructures import QueryParams

from opendensepose.formats import FORMATS
from opendensepose.serve.choices import ChoiceError, choose_format, read_number, read_person


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ([], "json"),
        (["*/*"], "json"),
        (["application/json"], "json"),
        (["image/png"], "iuv-png"),
        (["image/jpeg"], "overlay"),
        (["application/x-npz"], "npz"),
        (["text/html, image/*;q=0.8, application/x-viton;q=0.9"], "viton"),
        (["application/json;q=0, image/png;q=0.1"], "iuv-png"),
        (["image/png;q=zero", "application/x-coco;q=0.2"], "coco"),
        *[([f"application/x-{name}"], name) for name in FORMATS],
    ],
)
def test_the_accept_header_names_a_format(accept, name):
    assert choose_format(QueryParams(""), accept) == name


def test_the_query_comes_first_and_unknown_names_are_refused():
    assert choose_format(QueryParams("format=npz"), ["image/png"]) == "npz"
    with pytest.raises(ChoiceError, match="There is no format 'gif'") as error:
        choose_format(QueryParams("format=gif"), [])
    assert error.value.status == 422
    with pytest.raises(ChoiceError, match="Accept must name one of") as error:
        choose_format(QueryParams(""), ["text/html"])
    assert error.value.status == 406


@pytest.mark.parametrize("person", ["all", "largest", "1", "12"])
def test_people_are_all_the_largest_or_numbers(person):
    assert read_person(QueryParams({"person": person})) == person
    assert read_person(QueryParams("")) is None


@pytest.mark.parametrize("person", ["", "0", "me", "9" * 5000])
def test_other_people_are_refused(person):
    with pytest.raises(ChoiceError) as error:
        read_person(QueryParams({"person": person}))
    assert error.value.status == 422 and len(str(error.value)) < 200


@pytest.mark.parametrize("text", ["x", "-1", "nan", "inf", "1.01"])
def test_numbers_are_within_their_limits(text):
    assert read_number(QueryParams("c=0.5"), "c", 0, 1) == 0.5
    assert read_number(QueryParams(""), "c", 0.25, 1) == 0.25
    with pytest.raises(ChoiceError, match=r"c must be a number in \[0, 1\], got"):
        read_number(QueryParams({"c": text}), "c", 0, 1)
