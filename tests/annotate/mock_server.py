"""A stand-in for the annotation server: its HTTP contract over one person held in memory, with painted views."""

import io
import secrets

import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from opendensepose import annotate

NAMES = ["torso", "right hand", "left hand", "left foot", "right foot", "right upper leg", "left upper leg",
         "right lower leg", "left lower leg", "left upper arm", "right upper arm", "left lower arm",
         "right lower arm", "head"]  # fmt: skip
COLOURS = ["#4c78a8", "#f58518", "#e45756", "#72b7b2", "#54a24b", "#eeca3b", "#b279a2", "#ff9da6", "#9d755d",
           "#9ecae9", "#ffbf79", "#88d27a", "#d6a5c9", "#79706e"]  # fmt: skip
CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'"


class State:
    def __init__(self, photo: Image.Image, box, guess):
        self.photo, self.box, self.guess = photo, box, guess
        self.version, self.parts, self.points, self.stage, self.status = 1, {}, [], "parts", "open"
        self.requests, self.comments, self.role = {}, [], "manager"

    def task(self):
        return {"id": 1, "photo_id": "p1", "photo": "street.jpg", "width": self.photo.width,
                "height": self.photo.height, "box_xyxy": self.box, "status": self.status, "editable":
                self.status == "open", "version": self.version, "lease_expires_at": 0, "stage": self.stage,
                "comments": self.comments, "parts": self.parts, "points": self.points}  # fmt: skip


def png(image):
    out = io.BytesIO()
    image.save(out, "png")
    return out.getvalue()


def view_picture(part, view):
    image = Image.new("RGB", (400, 400), (30, 32, 36))
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 20, 300, 380), fill=(150 + 10 * view, 140, 120 + 5 * part))
    for k in range(40, 380, 30):
        draw.line((100, k, 300, k), fill=(90, 90, 90))
    return png(image)


def make_app(state: State) -> Starlette:
    def image(request):
        return Response(png(state.photo), media_type="image/png")

    def changing(work):
        async def endpoint(request):
            body = await request.json() if await request.body() else {}
            number = request.headers.get("x-request-id")
            if number in state.requests:
                return JSONResponse(state.requests[number])
            if body.get("version", state.version) != state.version:
                return JSONResponse({"error": "This person was changed meanwhile.", "version": state.version}, 409)
            answer, status = work(request, body)
            if status == 200:
                state.version += 1
                answer["version"] = state.version
                state.requests[number] = answer
            return JSONResponse(answer, status)

        return endpoint

    def put_parts(request, body):
        for part, counts in body["parts"].items():
            state.parts[part] = {"counts": counts, "size": [256, 256]}
        return {}, 200

    def post_points(request, body):
        state.points, state.stage = [], "points"
        for part, code in state.parts.items():
            if not code["counts"]:
                continue
            rows, columns = np.nonzero(coco_mask.decode(code))
            for k in np.linspace(0, len(rows) - 1, min(8, 1 + len(rows) // 200)).astype(int):
                x = state.box[0] + (columns[k] + 0.5) / 256 * (state.box[2] - state.box[0])
                y = state.box[1] + (rows[k] + 0.5) / 256 * (state.box[3] - state.box[1])
                state.points.append({"id": len(state.points) + 100, "part": int(part), "x": x, "y": y, "answer": None,
                                     "reason": None, "shown": [], "warning": None})  # fmt: skip
        return state.task(), 200

    def put_point(request, body):
        point = next(p for p in state.points if p["id"] == int(request.path_params["pid"]))
        point.update(answer=None, reason=body.get("reason"), shown=[])
        if click := body.get("click"):
            x, y = click["x"], click["y"]
            if ((x - 200) / 100) ** 2 + ((y - 200) / 180) ** 2 > 1:
                return {"error": "That is beside the part: click on its surface."}, 422
            point["answer"] = {"i": 1, "u": x / 400, "v": y / 400, **click}
            seen = [v for v in range(6) if v != (click["view"] + 3) % 6]
            point["shown"] = [{"view": v, "x": 200 + (x - 200) * (1 - 0.2 * abs(v - click["view"])), "y": y} for v in seen]
        return {"point": point, "warnings": []}, 200

    def put_place(request, body):
        point = next(p for p in state.points if p["id"] == int(request.path_params["pid"]))
        point.update(x=body["x"], y=body["y"])
        return {"point": point}, 200

    def finish(status):
        def work(request, body):
            state.status = status
            return {}, 200

        return changing(work)

    def iuv(request):
        size = (int(state.box[2] - state.box[0]), int(state.box[3] - state.box[1]))
        return Response(png(Image.new("RGB", size, (40, 60, 90))), media_type="image/png")

    async def views(request):
        part = request.path_params["part"]
        names = ["front", "back", "left", "right", "above", "below"]
        return JSONResponse({"views": [{"view": v, "url": f"/api/views/{part}/{v}.png", "width": 400, "height": 400,
                                        "name": names[v]} for v in range(6)]})  # fmt: skip

    def session(request):
        parts = [{"id": k + 1, "name": n, "colour": c, "key": "1234567890qwer"[k]} for k, (n, c) in
                 enumerate(zip(NAMES, COLOURS, strict=True))]  # fmt: skip
        return JSONResponse({"annotator": "me", "role": state.role, "csrf": secrets.token_hex(8), "team": False,
                             "parts": parts, "reasons": ["hidden", "too blurred", "can't tell"]})  # fmt: skip

    async def next_task(request):
        return JSONResponse(state.task()) if state.status == "open" else Response(status_code=204)

    def static_page(request):
        page = (annotate_static() / "index.html").read_text()
        return Response(page, media_type="text/html", headers={"Content-Security-Policy": CSP})

    one = "/api/tasks/1"
    return Starlette(
        routes=[
            Route("/", static_page),
            Mount("/static", StaticFiles(directory=annotate_static())),
            Route("/api/session", session),
            Route("/api/tasks", lambda r: JSONResponse([state.task() | {"annotator": "me"}])),
            Route("/api/tasks/next", next_task, methods=["POST"]),
            Route("/api/photos", lambda r: JSONResponse([{"id": "p1", "name": "street.jpg", "width": state.photo.width,
                                                          "height": state.photo.height, "people": 1}])),  # fmt: skip
            Route("/api/photos/p1/image", image),
            Route(one, lambda r: JSONResponse(state.task())),
            Route(one + "/lease", lambda r: JSONResponse({"version": state.version}), methods=["POST"]),
            Route(one + "/guess", lambda r: JSONResponse({"parts": state.guess})),
            Route(one + "/parts", changing(put_parts), methods=["PUT"]),
            Route(one + "/points", changing(post_points), methods=["POST"]),
            Route(one + "/points/{pid}", changing(put_point), methods=["PUT"]),
            Route(one + "/points/{pid}/place", changing(put_place), methods=["PUT"]),
            Route(one + "/iuv.png", iuv),
            Route(one + "/submit", finish("submitted"), methods=["POST"]),
            Route(one + "/skip", finish("skipped"), methods=["POST"]),
            Route(one + "/accept", finish("accepted"), methods=["POST"]),
            Route(one + "/send_back", finish("sent_back"), methods=["POST"]),
            Route("/api/review/next", lambda r: JSONResponse(state.task())),
            Route("/api/views/{part}", views),
            Route("/api/views/{part}/{view}.png", lambda r: Response(
                view_picture(int(r.path_params["part"]), int(r.path_params["view"])), media_type="image/png")),
        ]
    )  # fmt: skip


def annotate_static():
    from pathlib import Path

    return Path(annotate.__path__[0]) / "static"
