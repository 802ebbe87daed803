"""Users who annotate people of the flat surface, past the server."""

import sqlalchemy as sql
from tests.annotate.fakes import FlatSurface, square

from opendensepose.annotate.server import access
from opendensepose.annotate.work import edits, tasks
from opendensepose.annotate.work.edits import Answer, Click
from opendensepose.annotate.work.store import annotators, points
from opendensepose.annotate.work.store import tasks as task_table

SURFACE = FlatSurface()


def user(store, name: str, role: str = "annotator") -> tasks.User:
    access.invite(store, name, role)
    with store.reading() as connection:
        row = connection.execute(sql.select(annotators).where(annotators.c.name == name)).one()
    return tasks.User(row.id, row.name, row.role)


def person_of(store, task_id: int) -> int:
    with store.reading() as connection:
        return connection.scalar(sql.select(task_table.c.person_id).where(task_table.c.id == task_id))


def annotate(store, rules, who, task_id: int, before_answers=lambda: None) -> None:
    """Paints a torso, asks, calls before_answers(), answers all, submits."""
    edits.set_parts(store, rules, who, task_id, {1: square(50, 200)}, version=1)
    edits.resample_points(store, rules, who, task_id, SURFACE.sample_points, version=2)
    before_answers()
    with store.reading() as connection:
        ids = connection.scalars(sql.select(points.c.id).where(points.c.task_id == task_id)).all()
    for k, point_id in enumerate(ids):
        click = Answer(Click(view=0, x=10 * k, y=5))
        edits.answer_point(store, rules, who, task_id, point_id, click, SURFACE.point_at, version=3 + k)
    tasks.submit(store, rules, who, task_id)
