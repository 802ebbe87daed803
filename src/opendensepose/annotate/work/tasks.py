"""Who works on what: the next person, leases, skipping, submitting.

A task is one annotator's work on one person. A lease says until when the person is theirs; every save and heartbeat
renews it. When it has run out, others may be given the person, as a task of their own; a save that comes later still
is taken if the person is free, and refused if it is not. Nobody ever writes into another's task, save in review.
"""

import random
from dataclasses import dataclass

import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.refusals import Refused
from opendensepose.annotate.work.store import Store, events, gold, people, photos, points, tasks
from opendensepose.annotate.work.task_content import put_parts, put_points

__all__ = [
    "LEASE_SECONDS",
    "Rules",
    "User",
    "add_person",
    "check_box",
    "check_editable",
    "check_version",
    "give_back",
    "hold",
    "log",
    "next_task",
    "readable_task",
    "renew",
    "skip",
    "submit",
    "task_rows",
]

LEASE_SECONDS = 15 * 60.0
ACTIVE = ("submitted", "sent_back", "accepted")


@dataclass(frozen=True)
class User:
    """Who asks. alone: the only user of a tool on one's own machine, who may review their own work too."""

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
    """How work is given out. gold_rate: the share of people with known truth. rng: for drawing them."""

    annotators_per_person: int = 1
    gold_rate: float = 0.0
    lease_seconds: float = LEASE_SECONDS
    rng: random.Random = random.Random()

    def __post_init__(self):
        if self.annotators_per_person < 1 or not 0 <= self.gold_rate < 1:
            raise ValueError(
                "each person needs at least 1 annotator, and the rate of gold people is in [0, 1); got"
                f" {self.annotators_per_person} and {self.gold_rate}."
            )


def log(connection: Connection, store: Store, user: User | None, task_id: int | None, kind: str, **values) -> None:
    """One line of the audit log."""
    connection.execute(
        events.insert().values(at=store.clock(), annotator_id=user and user.id, task_id=task_id, kind=kind, **values)
    )


# --- seeing ----------------------------------------------------------------------------------------------------------


def readable_task(connection: Connection, user: User, task_id: int, lock: bool = False) -> Row:
    """The task's row with photo_id and is_gold. Refused as if there were none unless it is the user's, the user is a
    manager, or it has been submitted and the user is a reviewer."""
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
    raise Refused(f"There is no task {task_id} of yours.", 404)


def task_rows(store: Store, user: User, status: str | None = None, limit: int = 1000, offset: int = 0) -> list[Row]:
    """The user's tasks, or everybody's for a manager, with the photo and the annotator's name. Somebody who works
    alone has a task for each person."""
    from opendensepose.annotate.work.store import annotators

    if user.alone:
        with store.writing() as connection:
            _own_all(connection, store, user)
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


def _own_all(connection: Connection, store: Store, user: User) -> None:
    """A task for each person that the user has none for; all without content at once, of 50,000 people in a second."""
    mine = sql.select(tasks.c.id).where(tasks.c.person_id == people.c.id, tasks.c.annotator_id == user.id)
    missing = sql.and_(~mine.exists(), people.c.is_gold.is_(False))
    last = connection.scalar(sql.select(sql.func.max(tasks.c.id))) or 0
    boxes = [people.c[name] for name in ("x0", "y0", "x1", "y1")]
    values = {"status": "open", "stage": "parts", "version": 1, "touched_at": 0.0}
    bare = (
        sql.select(people.c.id, sql.literal(user.id), *boxes, *map(sql.literal, values.values()))
        .where(missing, people.c.prefill.is_(None))
        .order_by(people.c.id)
    )
    names = ["person_id", "annotator_id", "x0", "y0", "x1", "y1", *values]
    connection.execute(tasks.insert().from_select(names, bare))
    made = sql.select(sql.literal(store.clock()), tasks.c.annotator_id, tasks.c.id, sql.literal("assign")).where(
        tasks.c.annotator_id == user.id, tasks.c.id > last
    )
    connection.execute(events.insert().from_select(["at", "annotator_id", "task_id", "kind"], made))
    for person_id in connection.scalars(sql.select(people.c.id).where(missing).order_by(people.c.id)).all():
        _new_task(connection, store, user, person_id, None)


# --- leases ----------------------------------------------------------------------------------------------------------


def hold(connection: Connection, store: Store, rules: Rules, task: Row) -> float:
    """Until when a task is leased anew. Refused with 409 if its lease ran out and others have taken the person."""
    now = store.clock()
    has_run_out = task.lease_expires_at is None or task.lease_expires_at <= now
    if task.status == "open" and has_run_out and not task.is_gold and task.fixer_id is None:
        connection.execute(sql.select(people.c.id).where(people.c.id == task.person_id).with_for_update())
        if _num_active(connection, task.person_id, now, but=task.id) >= rules.annotators_per_person:
            raise Refused(
                "Your time with this person ran out and somebody else has taken over; this change was not saved.",
                409,
                task.version,
            )
    return now + rules.lease_seconds


def _active(task: sql.FromClause, now: float) -> sql.ColumnElement[bool]:
    """Whether a task counts among the annotators that a person has."""
    return sql.or_(task.c.status.in_(ACTIVE), sql.and_(task.c.status == "open", task.c.lease_expires_at > now))


def _num_active(connection: Connection, person_id: int, now: float, but: int | None = None) -> int:
    query = sql.select(sql.func.count()).where(tasks.c.person_id == person_id, _active(tasks, now))
    return connection.scalar(query if but is None else query.where(tasks.c.id != but))


def renew(store: Store, rules: Rules, user: User, task_id: int) -> dict:
    """The heartbeat: {lease_expires_at, version}. Refused if the task cannot be worked on by the user."""
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        check_editable(task, user)
        until = hold(connection, store, rules, task)
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(lease_expires_at=until))
    return {"lease_expires_at": until, "version": task.version}


def check_editable(task: Row, user: User) -> None:
    """Refused unless it is the user's own open work, or the user is the reviewer who fixes it."""
    if task.fixer_id is not None and task.status == "submitted":
        if task.fixer_id == user.id:
            return
        raise Refused("A reviewer is fixing this person now.", 409, task.version)
    if task.annotator_id != user.id:
        raise Refused("This is somebody else's work: it can be read but not changed.", 403)
    if task.status not in ("open", "sent_back"):
        raise Refused(f"This person is {task.status.replace('_', ' ')} and cannot be changed.", 409, task.version)


def check_version(task: Row, version: object) -> None:
    """Refused if a version is said that is not the task's present one."""
    if version is not None and version != task.version:
        raise Refused(
            f"This person was changed elsewhere: yours was version {version}, now it is {task.version}; nothing was"
            " overwritten.",
            409,
            task.version,
        )


def next_task(store: Store, rules: Rules, user: User) -> int | None:
    """The task the user should go on with, leased: begun or sent back before, else a new person, else one that was
    given back; None if there is nothing to do."""
    with store.writing() as connection:
        begun = sql.and_(tasks.c.status == "open", tasks.c.lease_expires_at.is_not(None))
        own = sql.select(tasks.c.id).where(tasks.c.annotator_id == user.id)
        recent = own.where(sql.or_(tasks.c.status == "sent_back", begun)).order_by(tasks.c.status.desc(), tasks.c.id)
        found = _first_held(connection, store, rules, user, connection.scalars(recent).all())
        if found is None:
            person_id = _pick(connection, store, rules, user)
            if person_id is not None:
                return _new_task(connection, store, user, person_id, store.clock() + rules.lease_seconds)
            rest = own.where(tasks.c.status == "open", _has_room(rules, store.clock()))
            rest = rest.order_by(tasks.c.touched_at, tasks.c.id)
            found = _first_held(connection, store, rules, user, connection.scalars(rest).all())
        return found


def _has_room(rules: Rules, now: float) -> sql.ColumnElement[bool]:
    """What `hold` asks of a task's person, so that it need not be tried on each of thousands that others have done."""
    other = tasks.alias()
    same_person = sql.and_(other.c.person_id == tasks.c.person_id, other.c.id != tasks.c.id)
    others = sql.select(sql.func.count()).where(same_person, _active(other, now)).scalar_subquery()
    is_gold = sql.select(people.c.is_gold).where(people.c.id == tasks.c.person_id).scalar_subquery()
    return sql.or_(is_gold, others < rules.annotators_per_person)


def _first_held(connection, store: Store, rules: Rules, user: User, task_ids: list[int]) -> int | None:
    for task_id in task_ids:
        task = readable_task(connection, user, task_id, lock=True)
        try:
            until = hold(connection, store, rules, task)
        except Refused:
            continue
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(lease_expires_at=until))
        return task_id
    return None


def _pick(connection: Connection, store: Store, rules: Rules, user: User) -> int | None:
    """A person the user has not had, with room for one more annotator; by chance one with known truth."""
    wants_gold = rules.rng.random() < rules.gold_rate
    for is_gold in (True, False) if wants_gold else (False,):
        person_id = _pick_of(connection, store, rules, user, is_gold)
        if person_id is not None:
            return person_id
    return None


def _pick_of(connection: Connection, store: Store, rules: Rules, user: User, is_gold: bool) -> int | None:
    now = store.clock()
    mine = sql.select(tasks.c.id).where(tasks.c.person_id == people.c.id, tasks.c.annotator_id == user.id)
    query = sql.select(people.c.id).where(people.c.is_gold.is_(is_gold), ~mine.exists()).order_by(people.c.id)
    if not is_gold:
        taken = sql.select(sql.func.count()).where(tasks.c.person_id == people.c.id, _active(tasks, now))
        others = taken.scalar_subquery()
        room = rules.annotators_per_person
        query = query.where(people.c.times_submitted < room, others < room)
    while True:
        person_id = connection.scalar(query.limit(1).with_for_update(skip_locked=True, of=people))
        if person_id is None or is_gold:
            return person_id
        # Locked now; whoever took the person while the query ran is seen by a new count only.
        if _num_active(connection, person_id, now) < rules.annotators_per_person:
            return person_id
        query = query.where(people.c.id > person_id)


def _new_task(connection: Connection, store: Store, user: User, person_id: int, until: float | None) -> int:
    """A task with the person's box and, where a file was imported, its parts and points."""
    person = connection.execute(sql.select(people).where(people.c.id == person_id)).one()
    box = {name: getattr(person, name) for name in ("x0", "y0", "x1", "y1")}
    prefill = person.prefill or {}
    values = {"status": "open", "stage": "points" if prefill.get("points") else "parts", "version": 1}
    made = connection.execute(
        tasks.insert().values(
            person_id=person_id, annotator_id=user.id, lease_expires_at=until, touched_at=0.0, **values, **box
        )
    )
    task_id = made.inserted_primary_key[0]
    put_parts(connection, task_id, {int(part): counts for part, counts in prefill.get("parts", {}).items()})
    put_points(connection, task_id, prefill.get("points", []))
    log(connection, store, user, task_id, "lease" if until else "assign")
    return task_id


def give_back(store: Store, user: User, task_id: int) -> None:
    """Ends the lease; the work stays, for the same annotator to go on with if nobody else is given the person."""
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        check_editable(task, user)
        ended = {"lease_expires_at": None, "touched_at": store.clock(), "fixer_id": None}
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(**ended))
        log(connection, store, user, task_id, "release")


# --- ends ------------------------------------------------------------------------------------------------------------


def skip(store: Store, rules: Rules, user: User, task_id: int, reason: str) -> None:
    """Ends the task without an answer; the person stays for others. Refused without a reason."""
    if not reason.strip():
        raise Refused("Say why you skip this person.", 422)
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        check_editable(task, user)
        hold(connection, store, rules, task)
        ended = {"status": "skipped", "skip_reason": reason, "lease_expires_at": None, "version": task.version + 1}
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(**ended))
        log(connection, store, user, task_id, "skip", detail={"reason": reason})


def submit(store: Store, rules: Rules, user: User, task_id: int, version: object = None) -> None:
    """Ends the work; it is read-only until it is sent back. Refused while points are neither answered nor given a
    reason, and without any, and if a version is said that is not the present one. A repeated submission changes
    nothing."""
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        if task.status == "submitted" and task.annotator_id == user.id and task.fixer_id is None:
            return
        check_editable(task, user)
        check_version(task, version)
        hold(connection, store, rules, task)
        is_open = sql.and_(points.c.face.is_(None), points.c.reason.is_(None))
        asked = connection.scalars(sql.select(is_open).where(points.c.task_id == task_id)).all()
        if not asked:
            raise Refused("There are no points yet: paint the parts, then ask for the points.", 422)
        if any(asked):
            raise Refused(f"{sum(map(bool, asked))} of {len(asked)} points have no answer and no reason yet.", 422)
        now = store.clock()
        values = {"status": "submitted", "submitted_at": now, "lease_expires_at": None, "version": task.version + 1}
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(**values, fixer_id=None))
        if task.submitted_at is None:
            more = people.c.times_submitted + 1
            connection.execute(people.update().where(people.c.id == task.person_id).values(times_submitted=more))
        log(connection, store, user, task_id, "submit")


# --- people drawn by hand --------------------------------------------------------------------------------------------


def check_box(box_xyxy: object, width: int, height: int) -> dict[str, float]:
    """x0, y0, x1, y1 of a box inside the photo, in hundredths of a pixel. Refused if it is none of at least 4 px."""
    is_box = isinstance(box_xyxy, list | tuple) and len(box_xyxy) == 4
    if not is_box or not all(type(edge) in (int, float) and abs(edge) < 1e6 for edge in box_xyxy):
        raise Refused("box_xyxy should be four numbers x0, y0, x1, y1 in pixels of the photo.")
    clipped = [round(min(max(edge, 0), side), 2) for edge, side in zip(box_xyxy, [width, height] * 2, strict=True)]
    x0, y0, x1, y1 = map(float, clipped)
    if x1 - x0 < 4 or y1 - y0 < 4:
        raise Refused("the box should be at least 4 x 4 pixels, within the photo.", 422)
    return {"x0": x0, "y0": y0, "x1": x1, "y1": y1}


def add_person(store: Store, rules: Rules, user: User, photo_id: int, box_xyxy: object) -> int:
    """A person drawn by hand; the id of the user's leased task on them. For managers."""
    if not user.may_manage:
        raise Refused("Only a manager adds people.", 403)
    with store.writing() as connection:
        photo = connection.execute(sql.select(photos).where(photos.c.id == photo_id)).one_or_none()
        if photo is None or connection.scalar(sql.select(gold.c.photo_id).where(gold.c.photo_id == photo_id)):
            raise Refused(f"There is no photo {photo_id}.", 404)
        box = check_box(box_xyxy, photo.width, photo.height)
        made = connection.execute(people.insert().values(photo_id=photo_id, is_gold=False, times_submitted=0, **box))
        until = store.clock() + rules.lease_seconds
        return _new_task(connection, store, user, made.inserted_primary_key[0], until)
