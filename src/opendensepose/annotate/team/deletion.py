"""Deleting people: boxes in which the model, a file or a manager saw somebody who is not there."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sql

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import Store, comments, events, parts, people, points, predictions, tasks
from opendensepose.annotate.work.tasks import User, log

__all__ = ["delete_people"]


def delete_people(store: Store, user: User, person_ids: list[int]) -> dict:
    """Delete people with all tasks on them; return {deleted, refused: [{person_id, why}]}.

    Refused are people on whom somebody else has worked, or whose work was submitted. The audit log keeps what was
    deleted.
    """
    if not user.may_manage:
        raise RequestError("Only a manager may delete people.", 403)
    deleted, refused = 0, []
    with store.writing() as connection:
        known = sql.select(people).where(people.c.id.in_(person_ids)).order_by(people.c.id).with_for_update()
        for person in connection.execute(known).all():
            of_person = sql.select(tasks).where(tasks.c.person_id == person.id).with_for_update()
            rows = connection.execute(of_person).all()
            why = _why_not(person, rows, user)
            if why:
                refused.append({"person_id": person.id, "why": why})
                continue
            ids = [row.id for row in rows]
            for table in (parts, points, predictions, comments):
                connection.execute(table.delete().where(table.c.task_id.in_(ids)))
            connection.execute(events.update().where(events.c.task_id.in_(ids)).values(task_id=None))
            connection.execute(tasks.delete().where(tasks.c.id.in_(ids)))
            connection.execute(people.delete().where(people.c.id == person.id))
            box = [person.x0, person.y0, person.x1, person.y1]
            detail = {"person": person.id, "photo": person.photo_id, "box": box, "tasks": ids}
            log(connection, store, user, None, "delete", detail=detail)
            deleted += 1
    return {"deleted": deleted, "refused": refused}


def _why_not(person: Any, rows: Sequence[Any], user: User) -> str | None:
    if person.is_gold:
        return "gold people measure the annotators"
    if any(row.submitted_at is not None or row.status not in ("open", "skipped") for row in rows):
        return "the work was submitted"
    if any(row.annotator_id != user.id and row.version > 1 and row.status != "skipped" for row in rows):
        return "somebody else has begun to work"
    return None
