"""People who work together."""

import pytest
from tests.annotate.annotating import user
from tests.annotate.fakes import write_photos

from opendensepose.annotate.work.photos import add_photos
from opendensepose.annotate.work.store import people


@pytest.fixture
def crowd(store, tmp_path):
    """Three annotators, a reviewer, a manager, and two people, one on each of two photos."""
    add_photos(store, write_photos(tmp_path / "photos", 2))
    with store.writing() as connection:
        for photo_id in (1, 2):
            box = {"x0": 0.0, "y0": 0.0, "x1": 64.0, "y1": 48.0}
            connection.execute(people.insert().values(photo_id=photo_id, is_gold=False, times_submitted=0, **box))
    names = {"ann": "annotator", "bob": "annotator", "cem": "annotator", "rita": "reviewer", "max": "manager"}
    return {name: user(store, name, role) for name, role in names.items()}
