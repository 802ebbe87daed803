"""Who is given whom: a person opened by its address, work assigned, moved to somebody else, and taken up again."""

from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.review import look
from opendensepose.annotate.work.store import Store, annotators, people, tasks
from opendensepose.annotate.work.tasks import (
    ACTIVE,
    Rules,
    User,
    count_active,
    create_task,
    extend_lease,
    is_held,
    log,
    readable_task,
    update_task,
)

__all__ = ["assign", "open_person", "reopen", "unassign"]


def open_person(store: Store, rules: Rules, user: User, person_id: int, by: int | None = None) -> int:
    """Return the task of a person: the user's own, leased if it is still open, or that of the annotator `by`.

    A manager who opens a person without work of their own begins it, if the person is free. RequestError 404 if there
    is no such person or work that the user may read.
    """
    own = user.id if by is None else by
    with store.writing() as connection:
        of_person = sql.select(tasks.c.id).where(tasks.c.person_id == person_id)
        task_id = connection.scalar(of_person.where(tasks.c.annotator_id == own))
        if task_id is None:
            task_id = _begin(connection, store, rules, user, person_id, is_own=own == user.id)
        else:
            _lease(connection, store, rules, user, readable_task(connection, user, task_id, lock=True))
    look(store, user, task_id)
    return task_id


def _begin(connection: Connection, store: Store, rules: Rules, user: User, person_id: int, *, is_own: bool) -> int:
    """Create a manager's own task of a person; of a person who is somebody else's, return that task."""
    person = connection.execute(sql.select(people).where(people.c.id == person_id).with_for_update()).one_or_none()
    if person is None or not user.may_manage or not is_own or person.is_gold:
        raise RequestError(f"There is no person {person_id} that you may open.", 404)
    if count_active(connection, person_id, store.clock()) < rules.annotators_per_person:
        return create_task(connection, store, user, person_id, store.clock() + rules.lease_seconds)
    theirs = sql.select(tasks.c.id).where(tasks.c.person_id == person_id).order_by(tasks.c.id)
    return connection.execute(theirs.where(tasks.c.status != "skipped").limit(1)).scalar_one()


def _lease(connection: Connection, store: Store, rules: Rules, user: User, task: Row) -> None:
    if task.annotator_id == user.id and task.status in ("open", "sent_back"):
        held = {"lease_expires_at": extend_lease(connection, store, rules, task), "touched_at": store.clock()}
        update_task(connection, task.id, held)


def reopen(store: Store, rules: Rules, user: User, task_id: int) -> None:
    """Take up again what was submitted, accepted or skipped; RequestError 409 if that cannot be.

    Annotators reopen their own work: skipped people if they are still free, submitted ones until a reviewer looks at
    them. What a manager reopens for somebody else goes back to that annotator.
    """
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        is_own, now = task.annotator_id == user.id, store.clock()
        if not is_own and not user.may_manage:
            raise RequestError("This is somebody else's work: you may read it but not change it.", 403)
        if task.status not in ("submitted", "skipped") and not (task.status == "accepted" and user.may_manage):
            sentence = f"This person is {task.status.replace('_', ' ')} and cannot be reopened by you."
            raise RequestError(sentence, 409, task.version)
        is_looked_at = task.review_until is not None and task.review_until > now and task.reviewer_id != user.id
        if task.status == "submitted" and (task.fixer_id is not None or is_looked_at):
            raise RequestError("A reviewer is looking at this person now.", 409, task.version)
        values: dict[str, Any] = {
            "version": task.version + 1,
            "skip_reason": None,
            "touched_at": 0.0,
            "lease_expires_at": None,
        }
        values |= {"reviewer_id": None, "review_until": None}
        if not is_own and task.status in ACTIVE:
            values["status"] = "sent_back"
        else:
            values |= {"status": "open", "submitted_at": None}
            if task.submitted_at is not None:
                fewer = people.c.times_submitted - 1
                connection.execute(people.update().where(people.c.id == task.person_id).values(times_submitted=fewer))
        update_task(connection, task_id, values)
        log(connection, store, user, task_id, "reopen", detail={"from": task.status, "reason": task.skip_reason})
        if is_own:
            _lease(connection, store, rules, user, readable_task(connection, user, task_id, lock=True))


def assign(store: Store, rules: Rules, user: User, person_ids: list[int], annotator_id: int) -> dict:
    """Give people to an annotator, who finds them before new ones; nobody else is given them.

    Work that somebody else has begun but not submitted moves to the annotator with all that was done. Returns
    {assigned, refused: [{person_id, why}]}.
    """
    assigned, refused = 0, []
    with store.writing() as connection:
        known = connection.execute(sql.select(annotators).where(annotators.c.id == annotator_id)).one_or_none()
        if known is None or not (known.active or annotator_id == user.id):
            raise RequestError("There is no such annotator, or they were revoked.", 404)
        whom = User(known.id, known.name, known.role)
        for person_id in dict.fromkeys(person_ids):
            why = _assign_one(connection, store, rules, user, person_id, whom)
            assigned += why is None
            if why is not None:
                refused.append({"person_id": person_id, "why": why})
    return {"assigned": assigned, "refused": refused}


def _assign_one(
    connection: Connection, store: Store, rules: Rules, user: User, person_id: int, whom: User
) -> str | None:
    """Assign one person; return why that cannot be, None if it was done."""
    person = connection.execute(sql.select(people).where(people.c.id == person_id).with_for_update()).one_or_none()
    if person is None or person.is_gold:
        return "there is no such person"
    now = store.clock()
    rows = connection.execute(sql.select(tasks).where(tasks.c.person_id == person_id).with_for_update()).all()
    own = next((row for row in rows if row.annotator_id == whom.id), None)
    if own is not None and own.status in ACTIVE:
        return f"{whom.name} has this person already ({own.status.replace('_', ' ')})"
    others = [row for row in rows if row is not own]
    begun = [row for row in others if row.status == "open"]
    left, held = ([row for row in begun if is_held(row, now) == held_now] for held_now in (False, True))
    has_room = count_active(connection, person_id, now, excluded=own.id if own else None) < rules.annotators_per_person
    movable = left if has_room else held
    if not has_room and not movable:
        return "somebody else has submitted this person"
    values: dict[str, Any] = {"assigned_at": now, "touched_at": 0.0}
    if own is not None:
        if not has_room:
            _end(connection, movable[0].id)
        values |= {"status": "open", "skip_reason": None, "version": own.version + 1}
        task_id = own.id
    elif movable:
        task_id, version = movable[0].id, movable[0].version + 1
        values |= {"annotator_id": whom.id, "lease_expires_at": None, "version": version}
    else:
        create_task(connection, store, whom, person_id, None, **values)
        return None
    update_task(connection, task_id, values)
    log(connection, store, user, task_id, "assign", detail={"annotator": whom.name})
    return None


def _end(connection: Connection, task_id: int) -> None:
    ended = {"lease_expires_at": None, "assigned_at": None}
    update_task(connection, task_id, ended)


def unassign(store: Store, user: User, person_ids: list[int]) -> dict:
    """Take assigned people back that were not submitted; others may be given them, what was done stays."""
    with store.writing() as connection:
        is_one = sql.and_(tasks.c.person_id.in_(person_ids), tasks.c.status == "open", tasks.c.assigned_at.is_not(None))
        found = connection.scalars(sql.select(tasks.c.id).where(is_one)).all()
        for task_id in found:
            _end(connection, task_id)
            log(connection, store, user, task_id, "unassign")
    return {"unassigned": len(found)}
