"""How far the work is: what is done and what remains, at which pace, and what each member of the team has."""

from math import ceil
from typing import Any

import numpy as np
import sqlalchemy as sql

from opendensepose.annotate.work.store import Store, annotators, people, photos, tasks

__all__ = ["members", "progress", "search_progress"]

_DAY = 86400.0
_PACE_DAYS = 7
_FINISHED = ("submitted", "accepted")


def progress(store: Store, annotators_per_person: int) -> dict:
    """Count people, gold people aside, each in one state, and tell when the rest will be done.

    accepted, submitted: by as many annotators as each person needs. in_work: begun, looked at, assigned, or sent back.
    skipped: all who were given the person skipped it. waiting: nobody has the person. annotations_left: how many are
    still to be submitted. per_day: submitted in the last seven days, on average; days_left and done_on at that pace, or
    null. days: [day, submitted]. Gold people are not part of what is left: the pace leaves them out too.
    """
    now = store.clock()
    count_of = {
        name: sql.func.sum(sql.case((condition, 1), else_=0)).label(name)
        for name, condition in {
            "accepted": tasks.c.status == "accepted",
            "finished": tasks.c.status.in_(_FINISHED),
            "begun": sql.or_(
                tasks.c.status == "sent_back",
                sql.and_(
                    tasks.c.status == "open",
                    sql.or_(tasks.c.version > 1, tasks.c.lease_expires_at > now, tasks.c.assigned_at.is_not(None)),
                ),
            ),
            "skipped": tasks.c.status == "skipped",
        }.items()
    }
    of_person = (
        sql.select(people.c.id, *count_of.values())
        .select_from(people.outerjoin(tasks, tasks.c.person_id == people.c.id))
        .where(people.c.is_gold.is_(False))
        .group_by(people.c.id)
        .subquery()
    )
    state = sql.case(
        (of_person.c.accepted >= annotators_per_person, "accepted"),
        (of_person.c.finished >= annotators_per_person, "submitted"),
        (sql.or_(of_person.c.begun > 0, of_person.c.finished > 0), "in_work"),
        (of_person.c.skipped > 0, "skipped"),
        else_="waiting",
    ).label("state")
    finished = sql.func.coalesce(of_person.c.finished, 0)
    missing = sql.case((finished < annotators_per_person, annotators_per_person - finished), else_=0)
    rows = sql.select(state, missing.label("missing")).select_from(of_person).subquery()
    counted = sql.select(rows.c.state, sql.func.count(), sql.func.sum(rows.c.missing)).group_by(rows.c.state)
    submitted = sql.select(tasks.c.submitted_at).join(people, tasks.c.person_id == people.c.id)
    submitted = submitted.where(tasks.c.submitted_at.is_not(None), people.c.is_gold.is_(False))
    with store.reading() as connection:
        found = {name: (number, int(left)) for name, number, left in connection.execute(counted)}
        times = np.array(connection.scalars(submitted).all(), np.float64)
        num_gold = connection.scalar(sql.select(sql.func.count()).where(people.c.is_gold))
    names = ("accepted", "submitted", "in_work", "waiting", "skipped")
    counts = {name: found.get(name, (0, 0))[0] for name in names}
    left = sum(number for name, (_, number) in found.items() if name != "skipped")
    day, amount = np.unique(np.floor_divide(times, _DAY).astype(np.int64), return_counts=True)
    days = [[str(np.datetime64(int(one), "D")), int(many)] for one, many in zip(day, amount, strict=True)]
    people_done = {"people": sum(counts.values()), "gold": num_gold, **counts, "annotations_left": left}
    return {**people_done, **_pace(times, now, left), "days": days}


def _pace(times: np.ndarray, now: float, left: int) -> dict:
    recent = times[times > now - _PACE_DAYS * _DAY]
    if not len(recent):
        return {"per_day": None, "days_left": 0 if not left else None, "done_on": None}
    per_day = len(recent) / max(1.0, min(float(_PACE_DAYS), (now - times.min()) / _DAY))
    days_left = ceil(left / per_day)
    done_on = np.datetime64(int(now // _DAY), "D") + min(days_left, 36500)
    return {"per_day": round(per_day, 1), "days_left": days_left, "done_on": str(done_on)}


def search_progress(store: Store) -> dict:
    """Count the photos, and those left that the model still has to search for people."""
    has_people = sql.select(people.c.id).where(people.c.photo_id == photos.c.id).exists()
    count = sql.select(sql.func.count()).select_from(photos)
    with store.reading() as connection:
        left = connection.scalar(count.where(photos.c.searched.is_(False), ~has_people))
        return {"photos": connection.scalar(count), "left": left}


def members(store: Store) -> list[dict]:
    """List everybody who was invited or named in an imported file, with the number of their tasks of each state.

    link: "waiting" while their link was not opened, "expired" if it no longer can be, else null. worked_at: when they
    last changed something. week: how many people they submitted in the last seven days.
    """
    now = store.clock()
    count = sql.func.count()
    of_state = sql.select(tasks.c.annotator_id, tasks.c.status, count, sql.func.max(tasks.c.touched_at))
    assigned = sql.and_(tasks.c.status == "open", tasks.c.assigned_at.is_not(None))
    week = tasks.c.submitted_at > now - _PACE_DAYS * _DAY
    by_annotator = sql.select(tasks.c.annotator_id, count).group_by(tasks.c.annotator_id)
    with store.reading() as connection:
        rows = connection.execute(sql.select(annotators).order_by(annotators.c.active.desc(), annotators.c.name)).all()
        by_state = connection.execute(of_state.group_by(tasks.c.annotator_id, tasks.c.status)).all()
        of_assigned, of_week = (
            {annotator_id: number for annotator_id, number in connection.execute(by_annotator.where(which))}
            for which in (assigned, week)
        )
    lines = []
    for one in rows:
        own = [row for row in by_state if row.annotator_id == one.id]
        link = None
        if one.token_hash is not None:
            link = "waiting" if (one.link_expires_at or 0.0) > now else "expired"
        line: dict[str, Any] = {"id": one.id, "name": one.name, "role": one.role, "active": one.active, "link": link}
        line |= {
            "tasks": {row.status: row[2] for row in own},
            "worked_at": max((row[3] for row in own), default=0.0) or None,
        }
        lines.append(line | {"assigned": of_assigned.get(one.id, 0), "week": of_week.get(one.id, 0)})
    return lines
