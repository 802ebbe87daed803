"""Review: a reviewer reads submitted work, and accepts it, sends it back with comments, or fixes it."""

import sqlalchemy as sql

from opendensepose.annotate.work.refusals import Refused
from opendensepose.annotate.work.store import Store, annotators, comments, points, tasks
from opendensepose.annotate.work.tasks import Rules, User, check_version, log, readable_task

__all__ = ["MAX_COMMENT", "accept", "fix", "next_review", "send_back", "task_comments"]

MAX_COMMENT = 2000  # characters
_LOOK_SECONDS = 15 * 60.0  # no other reviewer is sent to a task for so long


def next_review(store: Store, user: User) -> int | None:
    """The submitted task that has waited longest, not the reviewer's own; None if there is none."""
    _check_reviewer(user)
    now = store.clock()
    unseen = sql.or_(tasks.c.review_until.is_(None), tasks.c.review_until <= now, tasks.c.fixer_id == user.id)
    query = sql.select(tasks.c.id).where(tasks.c.status == "submitted", unseen)
    if not user.alone:
        query = query.where(tasks.c.annotator_id != user.id)
    query = query.order_by(tasks.c.submitted_at).limit(1).with_for_update(skip_locked=True)
    with store.writing() as connection:
        task_id = connection.scalar(query)
        if task_id is not None:
            looked_at = {"review_until": now + _LOOK_SECONDS}
            connection.execute(tasks.update().where(tasks.c.id == task_id).values(**looked_at))
        return task_id


def _check_reviewer(user: User) -> None:
    if not user.may_review:
        raise Refused("Only reviewers and managers review.", 403)


def _end(
    store: Store, user: User, task_id: int, kind: str, version: object, detail: dict, status: str | None, **values
) -> None:
    """One step of a review; with another status or another fixer."""
    _check_reviewer(user)
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        if task.annotator_id == user.id and not user.alone:
            raise Refused("Nobody reviews their own work.", 403)
        if task.status != "submitted" and not (kind == "send_back" and task.status == "accepted"):
            raise Refused(f"This person is {task.status.replace('_', ' ')}, not waiting for review.", 409, task.version)
        check_version(task, version)
        if task.fixer_id not in (None, user.id):
            raise Refused("Another reviewer is fixing this person.", 409, task.version)
        for comment in detail.get("comments", ()):
            known = sql.select(points.c.id).where(points.c.id == comment["point_id"], points.c.task_id == task_id)
            if comment["point_id"] is not None and connection.scalar(known) is None:
                raise Refused(f"There is no point {comment['point_id']} on this person.", 404)
            row = {"task_id": task_id, "author_id": user.id, "at": store.clock(), **comment}
            connection.execute(comments.insert().values(**row))
        changes = {"version": task.version + 1, "status": status or task.status, **values}
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(**changes))
        log(connection, store, user, task_id, kind, detail=detail)


def accept(store: Store, user: User, task_id: int, version: object = None) -> None:
    """The work is good, perhaps after fixing."""
    _end(store, user, task_id, "accept", version, {}, "accepted", fixer_id=None, lease_expires_at=None)


def send_back(store: Store, user: User, task_id: int, said: object, version: object = None) -> None:
    """Gives the work back to its annotator, with comments [{point_id or null, text}], at least one."""
    is_list = isinstance(said, list) and 0 < len(said) <= 500 and all(isinstance(one, dict) for one in said)
    if not is_list:
        raise Refused("comments should be a list of at least one {point_id, text}: say what is wrong.", 422)
    checked = []
    for one in said:
        point_id, text = one.get("point_id"), one.get("text")
        if type(point_id) not in (int, type(None)) or not isinstance(text, str) or not text.strip():
            raise Refused("each comment has a text, and a point_id or null.", 422)
        if len(text) > MAX_COMMENT or "\0" in text:
            raise Refused(f"a comment is text of at most {MAX_COMMENT} characters.", 422)
        checked.append({"point_id": point_id, "text": text})
    ended = {"fixer_id": None, "lease_expires_at": None}
    _end(store, user, task_id, "send_back", version, {"comments": checked}, "sent_back", **ended)


def fix(store: Store, rules: Rules, user: User, task_id: int, version: object = None) -> None:
    """The reviewer takes over editing; the task stays submitted until it is accepted or sent back."""
    until = store.clock() + rules.lease_seconds
    _end(store, user, task_id, "fix", version, {}, None, fixer_id=user.id, lease_expires_at=until)


def task_comments(connection: sql.Connection, task_id: int) -> list[dict]:
    """[{id, point_id, author, text, at}], the oldest first."""
    query = (
        sql.select(
            comments.c.id, comments.c.point_id, annotators.c.name.label("author"), comments.c.text, comments.c.at
        )
        .join(annotators, comments.c.author_id == annotators.c.id)
        .where(comments.c.task_id == task_id)
        .order_by(comments.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]
