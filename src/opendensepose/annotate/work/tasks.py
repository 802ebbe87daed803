"""Tasks: who annotates whom. Leases, assignment, skipping, submitting.

A task is one annotator's work on one person. A lease gives the person to the annotator for some minutes; every save and
heartbeat extends it. After it has expired, others may be given the person, as a task of their own; a later save is
accepted if the person is still free, else refused. Nobody writes into another annotator's task, except in review.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import (
    Store,
    annotators,
    events,
    gold,
    insert_row,
    people,
    photos,
    points,
    tasks,
)
from opendensepose.annotate.work.task_content import clip_box, insert_parts, insert_points

__all__ = [
    "LEASE_SECONDS",
    "Rules",
    "User",
    "add_person",
    "check_editable",
    "check_version",
    "extend_lease",
    "log",
    "next_task",
    "readable_task",
    "release",
    "renew_lease",
    "skip",
    "submit",
    "task_rows",
]

LEASE_SECONDS = 15 * 60.0
ACTIVE = ("submitted", "sent_back", "accepted")
_BOX = ("x0", "y0", "x1", "y1")


@dataclass(frozen=True)
class User:
    """Who sends a request. alone: the only user of a tool on their own machine, who may review their own work too."""

    id: int
    name: str
    role: str
    alone: bool = False

    @property
    def may_review(self) -> bool:
        return self.role in ("reviewer", "manager")

    @property
    def may_manage(self) -> bool:
        return self.role == "manager"


@dataclass(frozen=True)
class Rules:
    """How people are assigned. gold_rate: the share of gold people, whose truth is known. rng: draws them.
    proposal_rate: the share of people, gold or not, whose points come with the model's answers as proposals."""

    annotators_per_person: int = 1
    gold_rate: float = 0.0
    lease_seconds: float = LEASE_SECONDS
    rng: random.Random = field(default_factory=random.Random)
    proposal_rate: float = 0.0

    def __post_init__(self) -> None:
        if self.annotators_per_person < 1 or not 0 <= self.gold_rate < 1:
            raise ValueError(
                "annotators per person must be at least 1 and the gold rate in [0, 1), got"
                f" {self.annotators_per_person} and {self.gold_rate}."
            )
        if not 0 <= self.proposal_rate <= 1:
            raise ValueError(f"the share of people with proposals must be in [0, 1], got {self.proposal_rate}.")


def log(connection: Connection, store: Store, user: User | None, task_id: int | None, kind: str, **values: Any) -> None:
    """Write one line of the audit log."""
    connection.execute(
        events.insert().values(at=store.clock(), annotator_id=user and user.id, task_id=task_id, kind=kind, **values)
    )


# --- reading ---------------------------------------------------------------------------------------------------------


def readable_task(connection: Connection, user: User, task_id: int, lock: bool = False) -> Row:
    """Return the task's row with photo_id and is_gold. lock: for a change in the same transaction.

    RequestError 404 unless it is the user's own, the user is a manager, or it was submitted and the user is a reviewer.
    """
    query = (
        sql.select(tasks, people.c.photo_id, people.c.is_gold)
        .join(people, tasks.c.person_id == people.c.id)
        .where(tasks.c.id == task_id)
    )
    row = connection.execute(query.with_for_update(of=tasks) if lock else query).one_or_none()
    if row is not None and (row.annotator_id == user.id or user.may_manage):
        return row
    if row is not None and user.may_review and row.status in ACTIVE:
        return row
    raise RequestError(f"There is no task {task_id} that you may read.", 404)


def task_rows(store: Store, user: User, status: str | None = None, limit: int = 1000, offset: int = 0) -> list[Row]:
    """List the user's tasks, or everybody's for a manager, with the photo and the annotator's name.

    Who works alone has a task for each person: missing ones are made first.
    """
    if user.alone:
        with store.writing() as connection:
            _create_missing_tasks(connection, store, user)
    query = (
        sql.select(
            tasks,
            people.c.photo_id,
            photos.c.name.label("photo"),
            photos.c.width,
            photos.c.height,
            annotators.c.name.label("annotator"),
        )
        .join(people, tasks.c.person_id == people.c.id)
        .join(photos, people.c.photo_id == photos.c.id)
        .join(annotators, tasks.c.annotator_id == annotators.c.id)
        .order_by(tasks.c.id)
        .limit(limit)
        .offset(offset)
    )
    if not user.may_manage:
        query = query.where(tasks.c.annotator_id == user.id)
    if status:
        query = query.where(tasks.c.status == status)
    with store.reading() as connection:
        return list(connection.execute(query))


def _create_missing_tasks(connection: Connection, store: Store, user: User) -> None:
    """Create the user's missing tasks; those without prefill in one statement: a second for 50,000 people."""
    mine = sql.select(tasks.c.id).where(tasks.c.person_id == people.c.id, tasks.c.annotator_id == user.id)
    missing = sql.and_(~mine.exists(), people.c.is_gold.is_(False))
    last = connection.scalar(sql.select(sql.func.max(tasks.c.id))) or 0
    values = {"status": "open", "stage": "parts", "version": 1, "touched_at": 0.0}
    empty = (
        sql.select(
            people.c.id, sql.literal(user.id), *(people.c[name] for name in _BOX), *map(sql.literal, values.values())
        )
        .where(missing, people.c.prefill.is_(None))
        .order_by(people.c.id)
    )
    connection.execute(tasks.insert().from_select(["person_id", "annotator_id", *_BOX, *values], empty))
    made = sql.select(sql.literal(store.clock()), tasks.c.annotator_id, tasks.c.id, sql.literal("assign")).where(
        tasks.c.annotator_id == user.id, tasks.c.id > last
    )
    connection.execute(events.insert().from_select(["at", "annotator_id", "task_id", "kind"], made))
    for person_id in connection.scalars(sql.select(people.c.id).where(missing).order_by(people.c.id)).all():
        _new_task(connection, store, user, person_id, None)


# --- leases ----------------------------------------------------------------------------------------------------------


def extend_lease(connection: Connection, store: Store, rules: Rules, task: Row) -> float:
    """Return when the task's extended lease expires, for the caller to store.

    RequestError 409 if the lease has expired and others have taken the person.
    """
    now = store.clock()
    has_expired = task.lease_expires_at is None or task.lease_expires_at <= now
    if task.status == "open" and has_expired and not task.is_gold and task.fixer_id is None:
        connection.execute(sql.select(people.c.id).where(people.c.id == task.person_id).with_for_update())
        if _num_active(connection, task.person_id, now, excluded=task.id) >= rules.annotators_per_person:
            raise RequestError(
                "Your lease on this person expired and somebody else has taken over; this change was not saved.",
                409,
                task.version,
            )
    return now + rules.lease_seconds


def _active(task: sql.FromClause, now: float) -> sql.ColumnElement[bool]:
    """Whether a task counts towards its person's number of annotators."""
    return sql.or_(task.c.status.in_(ACTIVE), sql.and_(task.c.status == "open", task.c.lease_expires_at > now))


def _num_active(connection: Connection, person_id: int, now: float, excluded: int | None = None) -> int:
    query = sql.select(sql.func.count()).where(tasks.c.person_id == person_id, _active(tasks, now))
    return connection.execute(query if excluded is None else query.where(tasks.c.id != excluded)).scalar_one()


def renew_lease(store: Store, rules: Rules, user: User, task_id: int) -> dict:
    """Extend the lease at a heartbeat; return {lease_expires_at, version}. RequestError if the user may not edit."""
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        check_editable(task, user)
        until = extend_lease(connection, store, rules, task)
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(lease_expires_at=until))
    return {"lease_expires_at": until, "version": task.version}


def check_editable(task: Row, user: User) -> None:
    """RequestError unless it is the user's own open work, or the user is the reviewer who fixes it."""
    if task.fixer_id is not None and task.status == "submitted":
        if task.fixer_id == user.id:
            return
        raise RequestError("A reviewer is fixing this person now.", 409, task.version)
    if task.annotator_id != user.id:
        raise RequestError("This is somebody else's work: you may read it but not change it.", 403)
    if task.status not in ("open", "sent_back"):
        raise RequestError(f"This person is {task.status.replace('_', ' ')} and cannot be changed.", 409, task.version)


def check_version(task: Row, version: int | None) -> None:
    """RequestError 409 if a version is given that is not the task's current one."""
    if version is not None and version != task.version:
        raise RequestError(
            f"This person was changed elsewhere: yours was version {version}, now it is {task.version}; nothing was"
            " overwritten.",
            409,
            task.version,
        )


def release(store: Store, user: User, task_id: int) -> None:
    """End the lease; the work stays, and the same annotator may continue unless somebody else is given the person."""
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        check_editable(task, user)
        ended = {"lease_expires_at": None, "touched_at": store.clock(), "fixer_id": None}
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(**ended))
        log(connection, store, user, task_id, "release")


# --- assignment ------------------------------------------------------------------------------------------------------


def next_task(store: Store, rules: Rules, user: User) -> int | None:
    """Return the task that the user should work on next, leased; None if there is none.

    First tasks begun or sent back, then a new person, then tasks that the user released.
    """
    with store.writing() as connection:
        begun = sql.and_(tasks.c.status == "open", tasks.c.lease_expires_at.is_not(None))
        own = sql.select(tasks.c.id).where(tasks.c.annotator_id == user.id)
        recent = own.where(sql.or_(tasks.c.status == "sent_back", begun)).order_by(tasks.c.status.desc(), tasks.c.id)
        found = _lease_first(connection, store, rules, user, connection.scalars(recent).all())
        if found is None:
            person_id = _choose_person(connection, store, rules, user)
            if person_id is not None:
                return _new_task(connection, store, user, person_id, store.clock() + rules.lease_seconds)
            released = own.where(tasks.c.status == "open", _has_room(rules, store.clock()))
            released = released.order_by(tasks.c.touched_at, tasks.c.id)
            found = _lease_first(connection, store, rules, user, connection.scalars(released).all())
        return found


def _has_room(rules: Rules, now: float) -> sql.ColumnElement[bool]:
    """What `extend_lease` checks, as a condition of a query over thousands of tasks."""
    other = tasks.alias()
    same_person = sql.and_(other.c.person_id == tasks.c.person_id, other.c.id != tasks.c.id)
    others = sql.select(sql.func.count()).where(same_person, _active(other, now)).scalar_subquery()
    is_gold = sql.select(people.c.is_gold).where(people.c.id == tasks.c.person_id).scalar_subquery()
    return sql.or_(is_gold, others < rules.annotators_per_person)


def _lease_first(connection: Connection, store: Store, rules: Rules, user: User, task_ids: Sequence[int]) -> int | None:
    """Lease the first of the tasks whose person nobody else has taken."""
    for task_id in task_ids:
        task = readable_task(connection, user, task_id, lock=True)
        try:
            until = extend_lease(connection, store, rules, task)
        except RequestError:
            continue
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(lease_expires_at=until))
        return task_id
    return None


def _choose_person(connection: Connection, store: Store, rules: Rules, user: User) -> int | None:
    """Choose a person whom the user has not had and who needs one more annotator; at the gold rate a gold person."""
    wants_gold = rules.rng.random() < rules.gold_rate
    for is_gold in (True, False) if wants_gold else (False,):
        person_id = _first_free_person(connection, store, rules, user, is_gold)
        if person_id is not None:
            return person_id
    return None


def _first_free_person(connection: Connection, store: Store, rules: Rules, user: User, is_gold: bool) -> int | None:
    now = store.clock()
    mine = sql.select(tasks.c.id).where(tasks.c.person_id == people.c.id, tasks.c.annotator_id == user.id)
    query = sql.select(people.c.id).where(people.c.is_gold.is_(is_gold), ~mine.exists()).order_by(people.c.id)
    if not is_gold:
        others = sql.select(sql.func.count()).where(tasks.c.person_id == people.c.id, _active(tasks, now))
        most = rules.annotators_per_person
        query = query.where(people.c.times_submitted < most, others.scalar_subquery() < most)
    while True:
        person_id = connection.scalar(query.limit(1).with_for_update(skip_locked=True, of=people))
        if person_id is None or is_gold:
            return person_id
        # Locked now, but somebody may have taken the person while the query ran: count again.
        if _num_active(connection, person_id, now) < rules.annotators_per_person:
            return person_id
        query = query.where(people.c.id > person_id)


def _new_task(connection: Connection, store: Store, user: User, person_id: int, until: float | None) -> int:
    """Create a task with the person's box and, from an imported file, the parts and points."""
    person = connection.execute(sql.select(people).where(people.c.id == person_id)).one()
    prefill = person.prefill or {}
    stage = "points" if prefill.get("points") else "parts"
    values = {"person_id": person_id, "annotator_id": user.id, "status": "open", "stage": stage, "version": 1}
    box = {name: getattr(person, name) for name in _BOX}
    task_id = insert_row(connection, tasks, **values, **box, lease_expires_at=until, touched_at=0.0)
    insert_parts(connection, task_id, {int(part): counts for part, counts in prefill.get("parts", {}).items()})
    insert_points(connection, task_id, prefill.get("points", []))
    log(connection, store, user, task_id, "lease" if until else "assign")
    return task_id


def add_person(store: Store, rules: Rules, user: User, photo_id: int, box_xyxy: tuple[float, ...]) -> int:
    """Add a person whose box a manager has drawn; return the id of the manager's leased task."""
    if not user.may_manage:
        raise RequestError("Only a manager may add people.", 403)
    with store.writing() as connection:
        photo = connection.execute(sql.select(photos).where(photos.c.id == photo_id)).one_or_none()
        if photo is None or connection.scalar(sql.select(gold.c.photo_id).where(gold.c.photo_id == photo_id)):
            raise RequestError(f"There is no photo {photo_id}.", 404)
        box = clip_box(box_xyxy, photo.width, photo.height)
        person_id = insert_row(connection, people, photo_id=photo_id, is_gold=False, times_submitted=0, **box)
        return _new_task(connection, store, user, person_id, store.clock() + rules.lease_seconds)


# --- the end of a task -----------------------------------------------------------------------------------------------


def skip(store: Store, rules: Rules, user: User, task_id: int, reason: str) -> None:
    """End the task without an annotation; others may still be given the person. RequestError without a reason."""
    if not reason.strip():
        raise RequestError("Say why you skip this person.", 422)
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        check_editable(task, user)
        extend_lease(connection, store, rules, task)
        ended = {"status": "skipped", "skip_reason": reason, "lease_expires_at": None, "version": task.version + 1}
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(**ended))
        log(connection, store, user, task_id, "skip", detail={"reason": reason})


def submit(store: Store, rules: Rules, user: User, task_id: int, version: int | None = None) -> None:
    """Submit the task: from then on it is read-only unless it is sent back. A repeated submission changes nothing.

    RequestError if there are no points, if some have neither an answer nor a reason, or if the version is outdated.
    """
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        if task.status == "submitted" and task.annotator_id == user.id and task.fixer_id is None:
            return
        check_editable(task, user)
        check_version(task, version)
        extend_lease(connection, store, rules, task)
        is_open = sql.and_(points.c.face.is_(None), points.c.reason.is_(None))
        open_flags = connection.scalars(sql.select(is_open).where(points.c.task_id == task_id)).all()
        if not open_flags:
            raise RequestError("There are no points yet: paint the parts, then ask for the points.", 422)
        if any(open_flags):
            count = sum(map(bool, open_flags))
            raise RequestError(f"{count} of {len(open_flags)} points have neither an answer nor a reason.", 422)
        values = {"status": "submitted", "submitted_at": store.clock(), "lease_expires_at": None, "fixer_id": None}
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(**values, version=task.version + 1))
        if task.submitted_at is None:
            more = people.c.times_submitted + 1
            connection.execute(people.update().where(people.c.id == task.person_id).values(times_submitted=more))
        log(connection, store, user, task_id, "submit")
