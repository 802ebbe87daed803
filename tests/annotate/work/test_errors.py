"""A request that cannot be fulfilled: one sentence, a status, and the version if the sent one is outdated."""

import pytest

from opendensepose.annotate.work.errors import RequestError


def test_it_is_a_bad_request_unless_said_otherwise():
    error = RequestError("there is no task 7")
    assert (str(error), error.status, error.version) == ("there is no task 7", 400, None)
    outdated = RequestError("the task has changed", 409, version=3)
    assert (str(outdated), outdated.status, outdated.version) == ("the task has changed", 409, 3)


def test_verbs_turn_it_into_one_sentence_as_any_value_error():
    with pytest.raises(ValueError, match="^no such photo$"):
        raise RequestError("no such photo", 404)
