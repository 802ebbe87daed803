"""Work of others, done past the page."""

import sqlalchemy as sql
from tests.annotate.fakes import square

from opendensepose.annotate.work import edits, tasks
from opendensepose.annotate.work.edits import Answer
from opendensepose.annotate.work.store import points

RULES = tasks.Rules()


def submit(store, surface, who, after=None) -> int:
    """Annotates the next person past the page, each point with a reason; returns the task."""
    task_id = tasks.next_task(store, RULES, who, after)
    edits.set_parts(store, RULES, who, task_id, {1: square(50, 200)}, version=1)
    edits.resample_points(store, RULES, who, task_id, surface.sample_points, version=2)
    with store.reading() as connection:
        ids = connection.scalars(sql.select(points.c.id).where(points.c.task_id == task_id)).all()
    for k, point_id in enumerate(ids):
        answer = Answer(reason="not visible")
        edits.answer_point(store, RULES, who, task_id, point_id, answer, surface.point_at, version=3 + k)
    tasks.submit(store, RULES, who, task_id)
    return task_id
