"""JSON bodies: what fits is decoded, what does not is refused with the place of the defect."""

import json

import msgspec
import pytest

from opendensepose.annotate.server.bodies import (
    AnswerBody,
    BoxBody,
    NewPersonBody,
    PartsBody,
    PlaceBody,
    SendBack,
    Skip,
)


def decoded(body: type, value: object):
    return msgspec.json.decode(json.dumps(value), type=body)


def test_bodies_that_fit():
    answer = decoded(AnswerBody, {"version": 3, "click": {"view": 5, "x": 1, "y": 2.5}})
    assert (answer.version, answer.click.view, answer.click.x, answer.click.y) == (3, 5, 1.0, 2.5)
    assert decoded(AnswerBody, {"version": 3, "reason": "can't tell", "click": None}).reason == "can't tell"
    assert decoded(PartsBody, {"version": 1, "parts": {"14": "", "1": "abc"}}).parts == {14: "", 1: "abc"}
    assert decoded(NewPersonBody, {"photo": "a.png", "box_xyxy": [0, 0, 9, 9]}).photo == "a.png"
    assert decoded(SendBack, {"comments": [{"point_id": None, "text": "left?"}]}).comments[0].text == "left?"


@pytest.mark.parametrize(
    "body, value, place",
    [
        (AnswerBody, {"version": 1}, "exactly one"),
        (AnswerBody, {"version": 1, "clear": True, "reason": "x"}, "exactly one"),
        (AnswerBody, {"version": 1, "click": {"view": 6, "x": 1, "y": 1}}, "click.view"),
        (AnswerBody, {"version": 1, "click": {"view": 0, "x": 1e6, "y": 1}}, "click.x"),
        (AnswerBody, {"version": 1, "click": {"view": 0, "x": True, "y": 1}}, "click.x"),
        (AnswerBody, {"version": 1, "reason": " "}, "reason"),
        (AnswerBody, {"version": 1, "reason": "a\0"}, "reason"),
        (AnswerBody, {"version": "1", "clear": True}, "version"),
        (AnswerBody, {"clear": True}, "version"),
        (PartsBody, {"version": 1, "parts": {"15": ""}}, "parts"),
        (PartsBody, {"version": 1, "parts": {"torso": ""}}, "parts"),
        (PartsBody, {"version": 1, "parts": [""]}, "parts"),
        (BoxBody, {"version": 1, "box_xyxy": [0, 0, 9]}, "box_xyxy"),
        (BoxBody, {"version": 1, "box_xyxy": [0, 0, 9, None]}, "box_xyxy"),
        (PlaceBody, {"version": 1, "x": 1}, "y"),
        (NewPersonBody, {"photo": "\0", "box_xyxy": [0, 0, 9, 9]}, "photo"),
        (Skip, {"reason": "x" * 201}, "reason"),
        (SendBack, {"comments": []}, "comments"),
        (SendBack, {"comments": [{"text": "x", "point_id": 2**31}]}, "point_id"),
        (NewPersonBody, {"photo_id": 2**63, "box_xyxy": [0, 0, 9, 9]}, "photo_id"),
        (PartsBody, {"version": 1, "parts": {"1": "\0"}}, "parts"),
        (SendBack, {"comments": [{"text": "\n"}]}, "comments"),
        (SendBack, {"comments": [{"text": "x", "point_id": "7"}]}, "point_id"),
    ],
)
def test_the_place_of_a_defect_is_named(body, value, place):
    with pytest.raises(msgspec.ValidationError, match=place):
        decoded(body, value)
