"""The endpoints: each a function of the app's state and one call, listed in ENDPOINTS."""

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
import sqlalchemy as sql
from PIL import Image
from starlette.responses import Response

from opendensepose.annotate.checks.model_labels import LabelCache, PersonLabels
from opendensepose.annotate.server.access import new_link
from opendensepose.annotate.server.bodies import (
    AnswerBody,
    BoxBody,
    IuvQuery,
    NewPersonBody,
    Next,
    PartsBody,
    PlaceBody,
    Save,
    SendBack,
    Skip,
    SnapBody,
    Version,
)
from opendensepose.annotate.server.manager import MANAGER_ENDPOINTS, QualityCache
from opendensepose.annotate.server.pages import PAGE_ENDPOINTS
from opendensepose.annotate.server.people import PEOPLE_ENDPOINTS, Thumbnails
from opendensepose.annotate.server.requests import CACHE_FOREVER, Call, Endpoint
from opendensepose.annotate.surface.part_colours import TOOL_COLOURS
from opendensepose.annotate.surface.service import SurfaceService
from opendensepose.annotate.team.assignment import reopen as reopen_task
from opendensepose.annotate.team.progress import search_progress
from opendensepose.annotate.work import edits, review, tasks
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.photos import PhotoFolder
from opendensepose.annotate.work.predictions import current_predictions, predict_points
from opendensepose.annotate.work.store import Store, gold, people, photos
from opendensepose.annotate.work.store import tasks as task_table
from opendensepose.annotate.work.task_content import box_xyxy_of, task_points
from opendensepose.annotate.work.task_json import draw_task_preview, points_json, saved_point_json, task_json
from opendensepose.data.masks import encode_mask
from opendensepose.part_grid import GRID
from opendensepose.surface import NUM_PARTS, PART_NAMES, css_colour

__all__ = ["ENDPOINTS", "AppState"]


@dataclass
class AppState:
    """What all requests share."""

    store: Store
    surface: SurfaceService
    folder: PhotoFolder
    rules: tasks.Rules
    predictor: Callable | None
    quality_cache: QualityCache
    thumbnails: Thumbnails
    search: bool
    label_cache: LabelCache = field(default_factory=LabelCache)

    @property
    def store_and_rules(self) -> tuple[Store, tasks.Rules]:
        return self.store, self.rules

    def model_labels(self, task: sql.Row) -> PersonLabels | None:
        """Label the person of a task's row with the model, once for the parts and the points; None without a model."""
        predictor, box = self.predictor, box_xyxy_of(task)
        if predictor is None:
            return None
        return self.label_cache.get(
            (task.photo_id, *box.tolist()),
            lambda: self.surface.label_person(predictor, self.folder.rgb(task.photo_id), box),
        )

    def task(self, call: Call, task_id: int) -> dict:
        return task_json(self.store, self.surface, call.user, task_id)


def session(state: AppState, call: Call) -> dict:
    part_lines = [
        {"id": part, "name": PART_NAMES[part], "colour": css_colour(TOOL_COLOURS[part])}
        for part in range(1, NUM_PARTS + 1)
    ]
    return {
        "annotator": call.user.name,
        "role": call.user.role,
        "csrf": call.session.csrf,
        "team": not call.user.alone,
        "parts": part_lines,
        "reasons": list(edits.REASONS),
        "guess": state.predictor is not None,
        "search": state.search,
        "lease_seconds": state.rules.lease_seconds,
        "id": call.user.id,
    }


def link(state: AppState, call: Call) -> dict:
    return {"path": f"/enter#{new_link(state.store, call.user)}"}


def search(state: AppState, call: Call) -> dict:
    return search_progress(state.store) if state.search else {"photos": 0, "left": 0}


# --- photos and views ------------------------------------------------------------------------------------------------


def list_photos(state: AppState, call: Call) -> list[dict]:
    """A manager gets all photos but gold ones, others those of their tasks."""
    query = sql.select(photos, sql.func.count(people.c.id).label("people")).outerjoin(people).group_by(photos.c.id)
    if call.user.may_manage:
        query = query.where(photos.c.id.not_in(sql.select(gold.c.photo_id)))
    else:
        query = query.where(photos.c.id.in_(_readable_photos(call)))
    with state.store.reading() as connection:
        rows = connection.execute(query.order_by(photos.c.id))
        return [{name: getattr(row, name) for name in ("id", "name", "width", "height", "people")} for row in rows]


def _readable_photos(call: Call) -> sql.Select:
    """Ids of the photos of the user's own tasks and, for reviewers, of submitted ones."""
    query = sql.select(people.c.photo_id).join(task_table, task_table.c.person_id == people.c.id)
    return query.where(tasks.is_readable(call.user))


def image(state: AppState, call: Call) -> Response:
    photo_id = call.path["photo_id"]
    if not call.user.may_manage:
        with state.store.reading() as connection:
            if connection.scalar(_readable_photos(call).where(people.c.photo_id == photo_id).limit(1)) is None:
                raise RequestError(f"There is no photo {photo_id} that you may see.", 404)
    content, media_type = state.folder.file(photo_id)
    return Response(content, media_type=media_type, headers=CACHE_FOREVER)


def views(state: AppState, call: Call) -> dict:
    part = _part(call)
    lines = [
        {"view": k, "url": f"/api/views/{part}/{k}.png"}
        | {name: getattr(view, name) for name in ("width", "height", "name", "sides")}
        for k, view in enumerate(state.surface.views_of(part))
    ]
    return {"views": lines}


def _part(call: Call) -> int:
    if not 1 <= call.path["part"] <= NUM_PARTS:
        raise RequestError(f"There is no part {call.path['part']}.", 404)
    return call.path["part"]


def view_picture(state: AppState, call: Call) -> Response:
    part, view = _part(call), call.path["view"]
    if not 0 <= view < len(state.surface.views_of(part)):
        raise RequestError(f"There is no view {view}.", 404)
    return Response(state.surface.picture_png(part, view), media_type="image/png", headers=CACHE_FOREVER)


# --- tasks -----------------------------------------------------------------------------------------------------------


def next_task(state: AppState, call: Call) -> dict | None:
    task_id = tasks.next_task(*state.store_and_rules, call.user, call.body.after)
    return None if task_id is None else state.task(call, task_id)


def add_person(state: AppState, call: Call) -> dict:
    photo_id = call.body.photo if call.body.photo_id is None else call.body.photo_id
    if isinstance(photo_id, str):
        with state.store.reading() as connection:
            photo_id = connection.scalar(sql.select(photos.c.id).where(photos.c.name == photo_id))
    if photo_id is None:
        raise RequestError("There is no such photo.", 404)
    return state.task(call, tasks.add_person(*state.store_and_rules, call.user, photo_id, call.body.box_xyxy))


def task(state: AppState, call: Call) -> dict:
    return state.task(call, call.task_id)


def lease(state: AppState, call: Call) -> dict:
    return tasks.renew_lease(*state.store_and_rules, call.user, call.task_id)


def submit(state: AppState, call: Call) -> dict:
    tasks.submit(*state.store_and_rules, call.user, call.task_id, call.body.version)
    return state.task(call, call.task_id)


def skip(state: AppState, call: Call) -> dict:
    tasks.skip(*state.store_and_rules, call.user, call.task_id, call.body.reason)
    return {}


def release(state: AppState, call: Call) -> dict:
    tasks.release(state.store, call.user, call.task_id)
    return {}


def reopen(state: AppState, call: Call) -> dict:
    reopen_task(*state.store_and_rules, call.user, call.task_id)
    return state.task(call, call.task_id)


# --- edits -----------------------------------------------------------------------------------------------------------


def box(state: AppState, call: Call) -> dict:
    edits.set_box(*state.store_and_rules, call.user, call.task_id, call.body.box_xyxy, **call.save)
    return state.task(call, call.task_id)


def parts(state: AppState, call: Call) -> dict:
    return edits.set_parts(*state.store_and_rules, call.user, call.task_id, call.body.parts, **call.save)


def resample_points(state: AppState, call: Call) -> dict:
    sample_points = state.surface.sample_points
    edits.resample_points(*state.store_and_rules, call.user, call.task_id, sample_points, **call.save)
    return state.task(call, call.task_id)


def answer(state: AppState, call: Call) -> dict:
    point_id = call.path["point_id"]
    saved = edits.answer_point(
        *state.store_and_rules, call.user, call.task_id, point_id, call.body, state.surface.point_at, **call.save
    )
    return saved.response | saved_point_json(state.surface, point_id, saved.points, saved.known)


def place(state: AppState, call: Call) -> dict:
    point_id, x, y = call.path["point_id"], call.body.x, call.body.y
    saved = edits.move_point(*state.store_and_rules, call.user, call.task_id, point_id, x, y, **call.save)
    return saved.response | saved_point_json(state.surface, point_id, saved.points, saved.known)


def guess(state: AppState, call: Call) -> dict:
    if state.predictor is None:
        raise RequestError("There is no model here to guess the parts.", 404)
    with state.store.reading() as connection:
        row = tasks.readable_task(connection, call.user, call.task_id)
    labels = state.model_labels(row)
    grid = np.zeros((GRID, GRID), np.uint8) if labels is None else labels.parts(box_xyxy_of(row))
    found = [part for part in range(1, NUM_PARTS + 1) if (grid == part).any()]
    return {"parts": {str(part): encode_mask(grid == part)["counts"] for part in found}}


def predictions(state: AppState, call: Call) -> dict:
    """Ask the model about the points that it has not seen; return all points, with its proposals if there are any."""
    if state.predictor is not None:
        predict_points(*state.store_and_rules, call.user, call.task_id, state.model_labels)
    with state.store.reading() as connection:
        tasks.readable_task(connection, call.user, call.task_id)
        rows = task_points(connection, call.task_id)
        known = current_predictions(connection, rows)
    return {"points": points_json(state.surface, rows, known)}


def snap(state: AppState, call: Call) -> dict:
    """Move an outline to the photo's edges; nothing is stored."""
    with state.store.reading() as connection:
        row = tasks.readable_task(connection, call.user, call.task_id)
    image_rgb = state.folder.rgb(row.photo_id)
    outline = np.clip(call.body.outline_xy, 0, image_rgb.shape[1::-1])
    snapped = state.surface.snap_outline(image_rgb, outline, call.body.reach_px)
    return {"outline_xy": np.round(snapped, 2).tolist()}


def iuv(state: AppState, call: Call) -> Response:
    picture = draw_task_preview(state.store, state.surface, call.user, call.task_id, state.folder.rgb, call.query.fill)
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return Response(file.getvalue(), media_type="image/png")


# --- review ----------------------------------------------------------------------------------------------------------


def next_review(state: AppState, call: Call) -> dict | None:
    task_id = review.next_review(state.store, call.user, call.query.after)
    return None if task_id is None else state.task(call, task_id)


def accept(state: AppState, call: Call) -> dict:
    review.accept(state.store, call.user, call.task_id, call.body.version)
    return state.task(call, call.task_id)


def send_back(state: AppState, call: Call) -> dict:
    review.send_back(state.store, call.user, call.task_id, call.body.comments, call.body.version)
    return state.task(call, call.task_id)


def fix(state: AppState, call: Call) -> dict:
    review.fix(*state.store_and_rules, call.user, call.task_id, call.body.version)
    return state.task(call, call.task_id)


_TASK = "/api/tasks/{task_id:int}"
_POINT = _TASK + "/points/{point_id:int}"

ENDPOINTS = [
    *PAGE_ENDPOINTS,
    Endpoint("GET", "/api/session", session),
    Endpoint("POST", "/api/link", link),
    Endpoint("GET", "/api/search", search),
    Endpoint("GET", "/api/photos", list_photos),
    Endpoint("GET", "/api/photos/{photo_id:int}/image", image, is_slow=True),
    Endpoint("GET", "/api/views/{part:int}", views),
    Endpoint("GET", "/api/views/{part:int}/{view:int}.png", view_picture, is_slow=True),
    Endpoint("POST", "/api/tasks", add_person, NewPersonBody, role="manager"),
    Endpoint("POST", "/api/tasks/next", next_task, Next),
    Endpoint("GET", _TASK, task),
    Endpoint("POST", _TASK + "/lease", lease),
    Endpoint("POST", _TASK + "/submit", submit, Version),
    Endpoint("POST", _TASK + "/skip", skip, Skip),
    Endpoint("POST", _TASK + "/release", release),
    Endpoint("POST", _TASK + "/reopen", reopen),
    Endpoint("PUT", _TASK + "/box", box, BoxBody),
    Endpoint("PUT", _TASK + "/parts", parts, PartsBody),
    Endpoint("GET", _TASK + "/guess", guess, is_slow=True),
    Endpoint("POST", _TASK + "/points", resample_points, Save, is_slow=True),
    Endpoint("POST", _TASK + "/predictions", predictions, is_slow=True),
    Endpoint("POST", _TASK + "/snap", snap, SnapBody, is_slow=True),
    Endpoint("PUT", _POINT, answer, AnswerBody),
    Endpoint("PUT", _POINT + "/place", place, PlaceBody),
    Endpoint("GET", _TASK + "/iuv.png", iuv, query=IuvQuery, is_slow=True),
    Endpoint("GET", "/api/review/next", next_review, query=Next, role="reviewer"),
    Endpoint("POST", _TASK + "/accept", accept, Version, role="reviewer"),
    Endpoint("POST", _TASK + "/send_back", send_back, SendBack, role="reviewer"),
    Endpoint("POST", _TASK + "/fix", fix, Version, role="reviewer"),
    *PEOPLE_ENDPOINTS,
    *MANAGER_ENDPOINTS,
]
