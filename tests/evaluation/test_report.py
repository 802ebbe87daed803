"""The page: complete in one file, the worst people first; its parts by hand."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.evaluation.people import UVDistances, annotation, detection, image

from opendensepose.evaluation.measures import measure
from opendensepose.evaluation.report import PersonPicture, chart_errors, person_lines, report_page, worst_people


class Page(HTMLParser):
    """What a browser would meet: its text, every src and href, and the tags left open."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.sources += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


BOX = (0, 0, 60, 60)
PICTURES = {"body_png": b"\x89PNG", "scale": [(0, 0, 0), (255, 255, 255)]}


def person_off_by(error_m, number):
    """An image with one person: two torso points that far off; found by nobody if the error is infinite."""
    person = annotation(BOX, [(10.5, 10.5, 2, 0, 0), (20.5, 20.5, 2, 0, 0)], number=number, image_id=number)
    found = [detection(BOX, 2, error_m)] if np.isfinite(error_m) else []
    return image([person], found, number)


def measured(*errors_m):
    return measure([person_off_by(error, k) for k, error in enumerate(errors_m, start=1)], UVDistances())


def test_the_worst_come_first_and_those_without_any_prediction_last():
    worst = worst_people(measured(0.0, np.inf, 0.3, 0.1), "kappa")
    assert [person.annotation_id for person in worst] == [3, 4, 1, 2]
    many = worst_people(measured(*np.linspace(0, 0.9, 12)), "part")
    assert [person.annotation_id for person in many] == list(range(12, 2, -1))


def test_errors_by_chart_by_hand():
    errors = chart_errors(np.array([2, 2, 9]), np.array([0.1, np.inf, 0.05]))
    assert errors.shape == (25,) and errors[[2, 9]] == pytest.approx([(0.1 + 0.3) / 2, 0.05])
    assert np.isnan(np.delete(errors, [2, 9])).all()


def test_a_person_is_described_by_hand():
    (person,) = measured(0.04).people
    assert person_lines(person)[1] == "AUC10 .600, 2 points, 0 missing"
    assert person_lines(replace(person, error_m=np.array([0.04, np.inf])))[1] == "AUC10 .300, 2 points, 1 missing"
    assert person_lines(replace(person, gps={"kappa": 0.5, "part": 1.0}))[0] == "GPS kappa .500, GPS part 1.000"


def test_the_page_needs_no_other_file_and_says_what_it_was_given():
    worst = [PersonPicture(b"\xff\xd8", "1.jpg <b>", ["GPS & co"]), PersonPicture(b"\x89PNG", "2.png", [])]
    html = report_page(measured(0.05, np.inf), title="a <b> & c", worst=worst, **PICTURES)
    page = Page(html)
    assert page.open == [] and len(page.sources) == 1 + 2 + 1 + 2  # body, people, RCP, precision by normaliser
    assert all(source.startswith("data:image/") for source in page.sources)
    text = " ".join(page.text)
    for part in ("a <b> & c", "1.jpg <b>", "GPS & co", "24 squares", "kappa = 0.255 m", "per-part", "AP75", "torso"):
        assert part in text


def test_confidences_add_two_curves_and_a_table():
    found = measured(0.05, 0.4)
    told = [replace(person, confidence=np.array([0.9, 0.3])) for person in found.people]
    page = Page(report_page(replace(found, people=told), title="", worst=[], **PICTURES))
    assert page.open == [] and len(page.sources) == 1 + 2 + 1 + 2
    assert "mean error, cm" in " ".join(page.text) and "Confidence" in page.text


def test_people_without_points_leave_a_page_with_dashes():
    bare = annotation(BOX, [])
    html = report_page(measure([image([bare], [])], UVDistances()), title="bare", worst=[], **PICTURES)
    assert Page(html).open == [] and "–" in html
