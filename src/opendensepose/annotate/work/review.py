"""Review: a reviewer reads submitted work, and accepts it, sends it back with comments, or fixes it."""

from typing import Annotated

import sqlalchemy as sql
from msgspec import Meta, Struct, to_builtins
from sqlalchemy.engine import Connection

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.fields import Id
from opendensepose.annotate.work.store import Store, annotators, comments, points, tasks
from opendensepose.annotate.work.tasks import Rules, User, check_version, log, readable_task, update_task

__all__ = ["Comment", "accept", "fix", "look", "next_review", "send_back", "task_comments"]

_REVIEW_SECONDS = 15 * 60.0  # for so long no other reviewer is given the task
_ENDED = {"fixer_id": None, "lease_expires_at": None, "reviewer_id": None, "review_until": None}


class Comment(Struct):
    """A reviewer's comment on a point, or on the whole person."""

    text: Annotated[str, Meta(max_length=2000, pattern=r"^[^\0]*[^\s\0][^\0]*\Z")]  # PostgreSQL stores no NUL
    point_id: Id | None = None


def next_review(store: Store, user: User, after: int | None = None) -> int | None:
    """Return the submitted task that has waited longest and is not the reviewer's own; None if there is none.

    Tasks that another reviewer looks at are left out. after: the task the reviewer leaves now; those submitted later
    come first, it comes last.
    """
    _check_reviewer(user)
    now = store.clock()
    is_own_look = sql.or_(tasks.c.reviewer_id == user.id, tasks.c.fixer_id == user.id)
    is_free = sql.or_(tasks.c.review_until.is_(None), tasks.c.review_until <= now, is_own_look)
    query = sql.select(tasks.c.id).where(tasks.c.status == "submitted", is_free)
    if not user.alone:
        query = query.where(tasks.c.annotator_id != user.id)
    with store.writing() as connection:
        since = connection.scalar(sql.select(tasks.c.submitted_at).where(tasks.c.id == (after or 0))) or 0.0
        is_later = sql.or_(
            tasks.c.submitted_at > since, sql.and_(tasks.c.submitted_at == since, tasks.c.id > (after or 0))
        )
        order = (sql.case((is_later, 0), (tasks.c.id != (after or 0), 1), else_=2), tasks.c.submitted_at, tasks.c.id)
        task_id = connection.scalar(query.order_by(*order).limit(1).with_for_update(skip_locked=True))
        if task_id is not None:
            _look(connection, store, user, task_id)
        return task_id


def look(store: Store, user: User, task_id: int) -> None:
    """Note that a reviewer looks at a submitted task; nothing happens if another one does, or it is their own."""
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        is_free = task.review_until is None or task.review_until <= store.clock()
        if user.may_review and task.status == "submitted" and is_free and (user.alone or task.annotator_id != user.id):
            _look(connection, store, user, task_id)


def _look(connection: Connection, store: Store, user: User, task_id: int) -> None:
    held = {"review_until": store.clock() + _REVIEW_SECONDS, "reviewer_id": user.id}
    update_task(connection, task_id, held)


def _check_reviewer(user: User) -> None:
    if not user.may_review:
        raise RequestError("Only reviewers and managers may review.", 403)


def accept(store: Store, user: User, task_id: int, version: int | None = None) -> None:
    """Accept the work, perhaps after fixing it."""
    values = {"status": "accepted", **_ENDED}
    _decide(store, user, task_id, "accept", version, values)


def send_back(store: Store, user: User, task_id: int, written: list[Comment], version: int | None = None) -> None:
    """Return the work to its annotator, with at least one comment."""
    if not written:
        raise RequestError("Write at least one comment: say what is wrong.", 422)
    values = {"status": "sent_back", "touched_at": 0.0, **_ENDED}
    _decide(store, user, task_id, "send_back", version, values, written)


def fix(store: Store, rules: Rules, user: User, task_id: int, version: int | None = None) -> None:
    """Take over the editing; the task stays submitted until it is accepted or sent back."""
    values = {"fixer_id": user.id, "lease_expires_at": store.clock() + rules.lease_seconds}
    _decide(store, user, task_id, "fix", version, values)


def _decide(
    store: Store,
    user: User,
    task_id: int,
    kind: str,
    version: int | None,
    values: dict,
    written: list[Comment] | None = None,
) -> None:
    """Make a reviewer's decision one transaction: its columns of the task, its comments, its line in the log."""
    _check_reviewer(user)
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        if task.annotator_id == user.id and not user.alone:
            raise RequestError("Nobody may review their own work.", 403)
        if task.status != "submitted" and not (kind == "send_back" and task.status == "accepted"):
            sentence = f"This person is {task.status.replace('_', ' ')}, not waiting for review."
            raise RequestError(sentence, 409, task.version)
        check_version(task, version)
        if task.fixer_id not in (None, user.id):
            raise RequestError("Another reviewer is fixing this person.", 409, task.version)
        rows = to_builtins(written or [])
        for row in rows:
            known = sql.select(points.c.id).where(points.c.id == row["point_id"], points.c.task_id == task_id)
            if row["point_id"] is not None and connection.scalar(known) is None:
                raise RequestError(f"There is no point {row['point_id']} on this person.", 404)
            mark = {"task_id": task_id, "author_id": user.id, "at": store.clock()}
            connection.execute(comments.insert().values(**mark, **row))
        update_task(connection, task_id, {**values, "version": task.version + 1})
        log(connection, store, user, task_id, kind, detail={"comments": rows} if rows else {})


def task_comments(connection: Connection, task_id: int) -> list[dict]:
    """List the comments as {id, point_id, author, text, at}, the oldest first."""
    query = (
        sql.select(
            comments.c.id, comments.c.point_id, annotators.c.name.label("author"), comments.c.text, comments.c.at
        )
        .join(annotators, comments.c.author_id == annotators.c.id)
        .where(comments.c.task_id == task_id)
        .order_by(comments.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]
