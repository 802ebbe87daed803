"""The endpoints: each a function of the tool and one call, listed in HANDLERS with its method and path."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import sqlalchemy as sql
from PIL import Image
from starlette.responses import FileResponse, Response

from opendensepose.annotate.server.manager import MANAGER_HANDLERS, Yardstick
from opendensepose.annotate.server.requests import Call
from opendensepose.annotate.surface.service import SurfaceSide
from opendensepose.annotate.work import edits, review, tasks
from opendensepose.annotate.work.documents import point_answer, preview_of, task_document, task_line
from opendensepose.annotate.work.photos import PhotoFolder
from opendensepose.annotate.work.refusals import Refused
from opendensepose.annotate.work.store import Store, gold, people, photos
from opendensepose.annotate.work.store import tasks as task_table
from opendensepose.annotate.work.task_content import box_xyxy_of
from opendensepose.data.masks import encode_mask
from opendensepose.surface import NUM_PARTS, PART_COLOURS, PART_NAMES, css_colour

__all__ = ["HANDLERS", "Tool"]

LONG_CACHE = {"Cache-Control": "private, max-age=31536000, immutable"}


@dataclass
class Tool:
    """What the handlers share."""

    store: Store
    surface: SurfaceSide
    folder: PhotoFolder
    rules: tasks.Rules
    predictor: Callable | None
    static: Path
    yardstick: Yardstick

    @property
    def by(self) -> tuple[Store, tasks.Rules]:
        return self.store, self.rules

    def task(self, call: Call, task_id: int) -> dict:
        return task_document(self.store, self.surface, call.user, task_id)


def session(tool: Tool, call: Call) -> dict:
    part_lines = [
        {"id": part, "name": PART_NAMES[part], "colour": css_colour(PART_COLOURS[part])}
        for part in range(1, NUM_PARTS + 1)
    ]
    return {
        "annotator": call.user.name,
        "role": call.user.role,
        "csrf": call.session.csrf,
        "team": not call.user.alone,
        "parts": part_lines,
        "reasons": list(edits.REASONS),
        "guess": tool.predictor is not None,
        "lease_seconds": tool.rules.lease_seconds,
    }


def page(name: str) -> Callable:
    def show(tool: Tool, call: Call) -> Response:
        if name == "manager.html" and not call.user.may_manage:
            raise Refused("This page is for managers.", 403)
        path = tool.static / name
        if not path.is_file():
            raise Refused("This page is not installed.", 404)
        return FileResponse(path, headers={"Cache-Control": "no-cache"})

    return show


# --- photos and views ------------------------------------------------------------------------------------------------


def list_photos(tool: Tool, call: Call) -> list[dict]:
    """All for a manager, but those with known truth; for others those of their tasks."""
    query = sql.select(photos, sql.func.count(people.c.id).label("people")).outerjoin(people).group_by(photos.c.id)
    if call.user.may_manage:
        query = query.where(photos.c.id.not_in(sql.select(gold.c.photo_id)))
    else:
        query = query.where(photos.c.id.in_(_own_photos(call)))
    with tool.store.reading() as connection:
        rows = connection.execute(query.order_by(photos.c.id))
        return [{name: getattr(row, name) for name in ("id", "name", "width", "height", "people")} for row in rows]


def _own_photos(call: Call) -> sql.Select:
    own = sql.select(people.c.photo_id).join(task_table, task_table.c.person_id == people.c.id)
    if call.user.may_review:
        mine_or_submitted = sql.or_(
            task_table.c.annotator_id == call.user.id, task_table.c.status.in_(("submitted", "sent_back", "accepted"))
        )
        return own.where(mine_or_submitted)
    return own.where(task_table.c.annotator_id == call.user.id)


def image(tool: Tool, call: Call) -> Response:
    photo_id = call.path["photo_id"]
    if not call.user.may_manage:
        with tool.store.reading() as connection:
            if connection.scalar(_own_photos(call).where(people.c.photo_id == photo_id).limit(1)) is None:
                raise Refused(f"There is no photo {photo_id} of yours.", 404)
    content, media_type = tool.folder.file(photo_id)
    return Response(content, media_type=media_type, headers=LONG_CACHE)


def views(tool: Tool, call: Call) -> dict:
    part = _part(call)
    lines = [
        {"view": k, "url": f"/api/views/{part}/{k}.png", "width": one.width, "height": one.height, "name": one.name}
        for k, one in enumerate(tool.surface.views_of(part))
    ]
    return {"views": lines}


def _part(call: Call) -> int:
    if not 1 <= call.path["part"] <= NUM_PARTS:
        raise Refused(f"There is no part {call.path['part']}.", 404)
    return call.path["part"]


def view_picture(tool: Tool, call: Call) -> Response:
    part, view = _part(call), call.path["view"]
    if not 0 <= view < len(tool.surface.views_of(part)):
        raise Refused(f"There is no view {view}.", 404)
    return Response(tool.surface.picture_png(part, view), media_type="image/png", headers=LONG_CACHE)


# --- tasks -----------------------------------------------------------------------------------------------------------


def list_tasks(tool: Tool, call: Call) -> list[dict]:
    limit, offset = (_number(call.query.get(name), default) for name, default in (("limit", 1000), ("offset", 0)))
    rows = tasks.task_rows(tool.store, call.user, call.query.get("status") or None, min(limit, 10_000), offset)
    return [task_line(row) for row in rows]


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 9:
        raise Refused("limit and offset are whole numbers.")
    return int(text)


def next_task(tool: Tool, call: Call) -> dict | None:
    task_id = tasks.next_task(*tool.by, call.user)
    return None if task_id is None else tool.task(call, task_id)


def add_person(tool: Tool, call: Call) -> dict:
    photo_id = call.body.get("photo_id", call.body.get("photo"))
    if isinstance(photo_id, str):
        with tool.store.reading() as connection:
            photo_id = connection.scalar(sql.select(photos.c.id).where(photos.c.name == photo_id))
    if type(photo_id) is not int:
        raise Refused("photo_id should be the number of a photo.", 404)
    return tool.task(call, tasks.add_person(*tool.by, call.user, photo_id, call.body.get("box_xyxy")))


def task(tool: Tool, call: Call) -> dict:
    return tool.task(call, call.task_id)


def lease(tool: Tool, call: Call) -> dict:
    return tasks.renew(*tool.by, call.user, call.task_id)


def submit(tool: Tool, call: Call) -> dict:
    tasks.submit(*tool.by, call.user, call.task_id, call.body.get("version"))
    return tool.task(call, call.task_id)


def skip(tool: Tool, call: Call) -> dict:
    reason = call.body.get("reason")
    if not isinstance(reason, str) or len(reason) > 200:
        raise Refused("reason should be text of at most 200 characters.", 422)
    tasks.skip(*tool.by, call.user, call.task_id, reason)
    return {}


def release(tool: Tool, call: Call) -> dict:
    tasks.give_back(tool.store, call.user, call.task_id)
    return {}


# --- edits -----------------------------------------------------------------------------------------------------------


def box(tool: Tool, call: Call) -> dict:
    edits.set_box(*tool.by, call.user, call.task_id, call.body.get("box_xyxy"), **call.saves)
    return tool.task(call, call.task_id)


def parts(tool: Tool, call: Call) -> dict:
    return edits.set_parts(*tool.by, call.user, call.task_id, call.body.get("parts"), **call.saves)


def ask_points(tool: Tool, call: Call) -> dict:
    edits.sample_points(*tool.by, call.user, call.task_id, tool.surface.points_to_ask, **call.saves)
    return tool.task(call, call.task_id)


def answer(tool: Tool, call: Call) -> dict:
    point_id = call.path["point_id"]
    saved, asked = edits.answer_point(
        *tool.by, call.user, call.task_id, point_id, call.body, tool.surface.point_at, **call.saves
    )
    return saved | point_answer(tool.store, tool.surface, call.task_id, point_id, asked)


def place(tool: Tool, call: Call) -> dict:
    point_id, x, y = call.path["point_id"], call.body.get("x"), call.body.get("y")
    saved, asked = edits.move_point(*tool.by, call.user, call.task_id, point_id, x, y, **call.saves)
    return saved | point_answer(tool.store, tool.surface, call.task_id, point_id, asked)


def guess(tool: Tool, call: Call) -> dict:
    if tool.predictor is None:
        raise Refused("There is no model here to guess the parts.", 404)
    with tool.store.reading() as connection:
        row = tasks.readable_task(connection, call.user, call.task_id)
    grid = tool.surface.guess_parts(tool.predictor, tool.folder.rgb(row.photo_id), box_xyxy_of(row))
    found = [part for part in range(1, NUM_PARTS + 1) if (grid == part).any()]
    return {"parts": {str(part): encode_mask(grid == part)["counts"] for part in found}}


def iuv(tool: Tool, call: Call) -> Response:
    fill = call.query.get("fill") == "1"
    picture = preview_of(tool.store, tool.surface, call.user, call.task_id, tool.folder.rgb, fill)
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return Response(file.getvalue(), media_type="image/png")


# --- review ----------------------------------------------------------------------------------------------------------


def review_next(tool: Tool, call: Call) -> dict | None:
    task_id = review.next_review(tool.store, call.user)
    return None if task_id is None else tool.task(call, task_id)


def accept(tool: Tool, call: Call) -> dict:
    review.accept(tool.store, call.user, call.task_id, call.body.get("version"))
    return tool.task(call, call.task_id)


def send_back(tool: Tool, call: Call) -> dict:
    review.send_back(tool.store, call.user, call.task_id, call.body.get("comments"), call.body.get("version"))
    return tool.task(call, call.task_id)


def fix(tool: Tool, call: Call) -> dict:
    review.fix(*tool.by, call.user, call.task_id, call.body.get("version"))
    return tool.task(call, call.task_id)


for function in (image, view_picture, ask_points, guess, iuv):
    function.is_slow = True

_TASK = "/api/tasks/{task_id:int}"
_POINT = _TASK + "/points/{point_id:int}"

HANDLERS: list[tuple[str, str, Callable]] = [
    ("GET", "/", page("index.html")),
    ("GET", "/manager", page("manager.html")),
    ("GET", "/api/session", session),
    ("GET", "/api/photos", list_photos),
    ("GET", "/api/photos/{photo_id:int}/image", image),
    ("GET", "/api/views/{part:int}", views),
    ("GET", "/api/views/{part:int}/{view:int}.png", view_picture),
    ("GET", "/api/tasks", list_tasks),
    ("POST", "/api/tasks", add_person),
    ("POST", "/api/tasks/next", next_task),
    ("GET", _TASK, task),
    ("POST", _TASK + "/lease", lease),
    ("POST", _TASK + "/submit", submit),
    ("POST", _TASK + "/skip", skip),
    ("POST", _TASK + "/release", release),
    ("PUT", _TASK + "/box", box),
    ("PUT", _TASK + "/parts", parts),
    ("GET", _TASK + "/guess", guess),
    ("POST", _TASK + "/points", ask_points),
    ("PUT", _POINT, answer),
    ("PUT", _POINT + "/place", place),
    ("GET", _TASK + "/iuv.png", iuv),
    ("GET", "/api/review/next", review_next),
    ("POST", _TASK + "/accept", accept),
    ("POST", _TASK + "/send_back", send_back),
    ("POST", _TASK + "/fix", fix),
    *MANAGER_HANDLERS,
]
