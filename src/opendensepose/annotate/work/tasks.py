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
from msgspec import to_builtins
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import Store, events, gold, insert_row, people, photos, points, tasks
from opendensepose.annotate.work.task_content import clip_box, insert_parts, insert_points, prefill_of

__all__ = [
    "ACTIVE",
    "LEASE_SECONDS",
    "Rules",
    "User",
    "add_person",
    "check_editable",
    "check_version",
    "count_active",
    "create_task",
    "extend_lease",
    "is_held",
    "is_readable",
    "log",
    "next_task",
    "readable_task",
    "release",
    "renew_lease",
    "skip",
    "submit",
    "update_task",
]

LEASE_SECONDS = 15 * 60.0
ACTIVE = ("submitted", "sent_back", "accepted")
_MOST_TRIED = 50  # of tasks, until one is found whose person nobody else has taken
_BOX = ("x0", "y0", "x1", "y1")
# Statements of every click are made once: to build one and find its compiled form costs as much as running it.
_TASK = (
    sql.select(tasks, people.c.photo_id, people.c.is_gold)
    .join(people, tasks.c.person_id == people.c.id)
    .where(tasks.c.id == sql.bindparam("task_id"))
)
_LOCKED_TASK = _TASK.with_for_update(of=tasks)
_CHANGED_TASK = tasks.update().where(tasks.c.id == sql.bindparam("task_id"))
_NEW_EVENT = events.insert()


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

    def has_role(self, role: str) -> bool:
        """Tell whether the user may do what "any", "reviewer" or "manager" may."""
        return {"any": True, "reviewer": self.may_review, "manager": self.may_manage}[role]


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
    columns = {"at": store.clock(), "annotator_id": user and user.id, "task_id": task_id, "kind": kind, **values}
    connection.execute(_NEW_EVENT, columns)


def update_task(connection: Connection, task_id: int, values: dict[str, Any]) -> None:
    """Set columns of a task's row."""
    connection.execute(_CHANGED_TASK, {"task_id": task_id, **values})


# --- reading ---------------------------------------------------------------------------------------------------------


def readable_task(connection: Connection, user: User, task_id: int, lock: bool = False) -> Row:
    """Return the task's row with photo_id and is_gold. lock: for a change in the same transaction.

    RequestError 404 unless it is the user's own, the user is a manager, or it was submitted and the user is a reviewer.
    """
    row = connection.execute(_LOCKED_TASK if lock else _TASK, {"task_id": task_id}).one_or_none()
    if row is not None and (row.annotator_id == user.id or user.may_manage):
        return row
    if row is not None and user.may_review and row.status in ACTIVE:
        return row
    raise RequestError(f"There is no task {task_id} that you may read.", 404)


def is_readable(user: User) -> sql.ColumnElement[bool]:
    """Tell in a query whether a task is the user's own or, for reviewers, was submitted; managers may read all."""
    is_own = tasks.c.annotator_id == user.id
    return sql.or_(is_own, tasks.c.status.in_(ACTIVE)) if user.may_review else is_own


# --- leases ----------------------------------------------------------------------------------------------------------


def extend_lease(connection: Connection, store: Store, rules: Rules, task: Row) -> float:
    """Return when the task's extended lease expires, for the caller to store.

    RequestError 409 if the lease has expired and others have taken the person.
    """
    now = store.clock()
    if task.status == "open" and not is_held(task, now) and not task.is_gold and task.fixer_id is None:
        connection.execute(sql.select(people.c.id).where(people.c.id == task.person_id).with_for_update())
        if count_active(connection, task.person_id, now, excluded=task.id) >= rules.annotators_per_person:
            raise RequestError(
                "Your lease on this person expired and somebody else has taken over; this change was not saved.",
                409,
                task.version,
            )
    return now + rules.lease_seconds


def is_held(task: Row, now: float) -> bool:
    """Tell whether an open task keeps its person from others: it is leased or assigned."""
    return task.assigned_at is not None or (task.lease_expires_at is not None and task.lease_expires_at > now)


def _active(task: sql.FromClause, now: float) -> sql.ColumnElement[bool]:
    """Whether a task counts towards its person's number of annotators."""
    is_taken = sql.or_(task.c.lease_expires_at > now, task.c.assigned_at.is_not(None))
    return sql.or_(task.c.status.in_(ACTIVE), sql.and_(task.c.status == "open", is_taken))


def count_active(connection: Connection, person_id: int, now: float, excluded: int | None = None) -> int:
    """Count the tasks that have a person: submitted, sent back, accepted, leased or assigned; all but one."""
    query = sql.select(sql.func.count()).where(tasks.c.person_id == person_id, _active(tasks, now))
    return connection.execute(query if excluded is None else query.where(tasks.c.id != excluded)).scalar_one()


def renew_lease(store: Store, rules: Rules, user: User, task_id: int) -> dict:
    """Extend the lease at a heartbeat; return {lease_expires_at, version}. RequestError if the user may not edit."""
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        check_editable(task, user)
        until = extend_lease(connection, store, rules, task)
        update_task(connection, task_id, {"lease_expires_at": until})
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
    """End the user's lease or their look at submitted work; the work stays.

    The same annotator may continue unless somebody else is given the person.
    """
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        ended: dict[str, Any] = {}
        if task.reviewer_id == user.id:
            ended |= {"reviewer_id": None, "review_until": None}
        if task.fixer_id == user.id:
            ended |= {"fixer_id": None, "lease_expires_at": None}
        elif task.annotator_id == user.id and task.status in ("open", "sent_back"):
            ended |= {"lease_expires_at": None, "touched_at": store.clock()}
        if ended:
            update_task(connection, task_id, ended)
            log(connection, store, user, task_id, "release")


# --- assignment ------------------------------------------------------------------------------------------------------


def next_task(store: Store, rules: Rules, user: User, after: int | None = None) -> int | None:
    """Return the task that the user should work on next, leased; None if there is none.

    First what was sent back; then the task they worked on last; what a manager assigned them; a new person; tasks that
    they left, the longest ago first. after: the task they leave now, which comes last, and whose place the task
    that they worked on last does not take.
    """
    own = sql.select(tasks.c.id).where(tasks.c.annotator_id == user.id, tasks.c.status.in_(("open", "sent_back")))
    new = own.where(tasks.c.touched_at == 0, tasks.c.id != (after or 0)).order_by(tasks.c.id).limit(_MOST_TRIED)
    sent_back = new.where(tasks.c.status == "sent_back")
    assigned = new.where(tasks.c.status == "open", tasks.c.assigned_at.is_not(None))
    last = own.where(tasks.c.touched_at > 0).order_by(tasks.c.touched_at.desc(), tasks.c.id.desc()).limit(1)
    with store.writing() as connection:

        def first_of(query: sql.Select) -> int | None:
            return _lease_first(connection, store, rules, user, connection.scalars(query).all())

        for query in (sent_back, assigned) if after is not None else (sent_back, last, assigned):
            found = first_of(query)
            if found is not None:
                return found
        person_id = _choose_person(connection, store, rules, user)
        if person_id is not None:
            return create_task(connection, store, user, person_id, store.clock() + rules.lease_seconds)
        left = own.where(sql.or_(tasks.c.status == "sent_back", _has_room(rules, store.clock())))
        left = left.order_by(tasks.c.id == (after or 0), tasks.c.touched_at, tasks.c.id).limit(_MOST_TRIED)
        return first_of(left)


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
        held = {"lease_expires_at": until, "touched_at": store.clock()}
        update_task(connection, task_id, held)
        return task_id
    return None


def _choose_person(connection: Connection, store: Store, rules: Rules, user: User) -> int | None:
    """Choose a person whom the user has not had and who needs one more annotator; at the gold rate a gold person."""
    wants_gold = rules.rng.random() < rules.gold_rate
    was_begun = sql.select(tasks.c.id).where(
        tasks.c.person_id == people.c.id, tasks.c.status == "open", tasks.c.version > 1
    )
    # Whose work was begun and left, comes last: the one who began may come back to it.
    kinds = [(False, ~was_begun.exists()), (False, sql.true())]
    for is_gold, condition in [(True, sql.true()), *kinds] if wants_gold else kinds:
        person_id = _first_free_person(connection, store, rules, user, is_gold, condition)
        if person_id is not None:
            return person_id
    return None


def _first_free_person(
    connection: Connection, store: Store, rules: Rules, user: User, is_gold: bool, condition: sql.ColumnElement[bool]
) -> int | None:
    now = store.clock()
    mine = sql.select(tasks.c.id).where(tasks.c.person_id == people.c.id, tasks.c.annotator_id == user.id)
    query = sql.select(people.c.id).where(people.c.is_gold.is_(is_gold), ~mine.exists(), condition)
    query = query.order_by(people.c.id)
    if not is_gold:
        others = sql.select(sql.func.count()).where(tasks.c.person_id == people.c.id, _active(tasks, now))
        most = rules.annotators_per_person
        query = query.where(people.c.times_submitted < most, others.scalar_subquery() < most)
    while True:
        person_id = connection.scalar(query.limit(1).with_for_update(skip_locked=True, of=people))
        if person_id is None or is_gold:
            return person_id
        # Locked now, but somebody may have taken the person while the query ran: count again.
        if count_active(connection, person_id, now) < rules.annotators_per_person:
            return person_id
        query = query.where(people.c.id > person_id)


def create_task(
    connection: Connection, store: Store, user: User, person_id: int, until: float | None, **values: Any
) -> int:
    """Create a task with the person's box and, from an imported file, the parts and points.

    until: when its lease expires, None: it is not leased. values: further columns.
    """
    person = connection.execute(sql.select(people).where(people.c.id == person_id)).one()
    prefill = prefill_of(person)
    state: dict[str, Any] = {"status": "open", "stage": "points" if prefill.points else "parts", "version": 1}
    state |= {"lease_expires_at": until, "touched_at": 0.0 if until is None else store.clock()}
    box = {name: getattr(person, name) for name in _BOX}
    columns = {"person_id": person_id, "annotator_id": user.id, **box, **state, **values}
    task_id = insert_row(connection, tasks, **columns)
    insert_parts(connection, task_id, prefill.parts)
    insert_points(connection, task_id, to_builtins(prefill.points))
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
        return create_task(connection, store, user, person_id, store.clock() + rules.lease_seconds)


# --- the end of a task -----------------------------------------------------------------------------------------------


def skip(store: Store, rules: Rules, user: User, task_id: int, reason: str) -> None:
    """End the task without an annotation; others may still be given the person. RequestError without a reason."""
    if not reason.strip():
        raise RequestError("Say why you skip this person.", 422)
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        check_editable(task, user)
        extend_lease(connection, store, rules, task)
        ended = {"status": "skipped", "skip_reason": reason, "lease_expires_at": None, "assigned_at": None}
        update_task(connection, task_id, {**ended, "version": task.version + 1, "touched_at": store.clock()})
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
        now = store.clock()
        ended = {"status": "submitted", "lease_expires_at": None, "assigned_at": None, "fixer_id": None}
        changes = {**ended, "version": task.version + 1, "submitted_at": now, "touched_at": now}
        update_task(connection, task_id, changes)
        if task.submitted_at is None:
            more = people.c.times_submitted + 1
            connection.execute(people.update().where(people.c.id == task.person_id).values(times_submitted=more))
        log(connection, store, user, task_id, "submit")
