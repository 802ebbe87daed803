"""Pictures of synthetic people with their truth: the one entrance is render_images (render_image for a single one).

Label rule (docs/conventions.md): a pixel is labelled with the body point that would be seen there without this person's
clothes, hair and things worn, if what is seen at the pixel belongs to that person; else it is background.

Letters: P people of a picture, V vertices and T triangles of one body, H, W image.
"""

import functools
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from opendensepose.camera import Camera
from opendensepose.surface import load_charts, load_surface
from opendensepose.synth.background import make_background
from opendensepose.synth.body import KEYPOINT_NAMES, Body, load_body
from opendensepose.synth.drape import Drape, drapes_of
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.noise import fbm_2d
from opendensepose.synth.occluder import make_occluder
from opendensepose.synth.outfit import Outfit, sample_outfit
from opendensepose.synth.rasterize import rasterize, vertex_normals
from opendensepose.synth.scene import (
    PersonPlan,
    frame_portrait,
    placed,
    portrait_camera,
    sample_lighting,
    sample_person,
    scene_camera,
    scene_spots,
    whole_photo,
)
from opendensepose.synth.sensor import apply_sensor
from opendensepose.synth.shade import MATERIAL_COLUMNS, SHADOW_SIZE, TEXTURE_SIZE, shade
from opendensepose.synth.texture import make_hair_texture, make_texture
from opendensepose.synth.texture_print import make_print

__all__ = ["RenderedImage", "render_image", "render_images", "OUTSIDE_GREY"]

OUTSIDE_GREY = 127  # what a crop shows beyond the photo's edge, here and in prediction


@dataclass(frozen=True)
class RenderedImage:
    """A picture and its truth.

    image_rgb: (H, W, 3) uint8. i: (H, W) uint8 chart, 0 background. u, v: (H, W) float32 in [0, 1].
    person: (H, W) uint8, k = the k-th person, 0 background. depth: (H, W) float32 metres, inf = background.
    boxes_xyxy: (P, 4) float32 of each person's labelled pixels (zeros if none). keypoints: (P, 17, 3) float32, x, y in
    pixels and COCO visibility 0, 1, 2. face: (H, W) int32 surface face, -1 = background. barycentric: (H, W, 3) float32.
    vertices: (P, V, 3) float32 posed skin in the world, metres; camera: the Camera.
    """

    image_rgb: np.ndarray
    i: np.ndarray
    u: np.ndarray
    v: np.ndarray
    person: np.ndarray
    depth: np.ndarray
    boxes_xyxy: np.ndarray
    keypoints: np.ndarray
    face: np.ndarray
    barycentric: np.ndarray
    vertices: np.ndarray
    camera: Camera


@dataclass
class _Plan:
    """A picture before posing."""

    rng: np.random.Generator
    people: list[PersonPlan]
    camera: Camera | None
    spots: np.ndarray
    framing: str


class _Labels:
    """Per-triangle tables from the body model to the surface's charts."""

    def __init__(self, body: Body, device: str):
        surface, charts = load_surface(), load_charts()
        num = len(body.triangles)
        to_surface = np.full(num, -1, np.int32)
        to_surface[surface.anny_face] = np.arange(len(surface.faces))
        center = body.coordinates.rest[body.triangles.cpu().numpy()].mean(1)
        self.surface_face = torch.from_numpy(to_surface).to(device)
        self.is_skin = torch.from_numpy(to_surface >= 0).to(device)
        # Eyes and what lies inside the mouth take the label of the nearest skin.
        from scipy.spatial import cKDTree

        inside = to_surface < 0
        if inside.any():
            _, nearest = cKDTree(center[~inside]).query(center[inside])
            to_surface = to_surface.copy()
            to_surface[inside] = to_surface[~inside][nearest]
        self.nearest_face = torch.from_numpy(to_surface).to(device)
        self.chart = torch.from_numpy(charts.face_chart.astype(np.int64)).to(device)
        self.uv = torch.from_numpy(charts.face_uv.astype(np.float32)).to(device)


@functools.cache
def _labels(device: str) -> _Labels:
    return _Labels(load_body(device), device)


def render_image(rng: np.random.Generator, size_hw: tuple[int, int], **options) -> RenderedImage:
    """One picture; see render_images for the options."""
    return render_images([rng], size_hw, **options)[0]


def render_images(
    rngs: list[np.random.Generator],
    size_hw: tuple[int, int],
    framing: str = "scene",
    num_people: int | None = None,
    ingredients: Ingredients | None = None,
    device: str = "cpu",
    pool_seed: int = 0,
) -> list[RenderedImage]:
    """Pictures, one per random generator; their bodies are posed in one batch.

    framing: "portrait" frames the first person as a detector's padded box (outside of the photo the crop is grey),
    "scene" is a whole photo. num_people: None draws 0 to 6 for a scene, and bystanders for a portrait.
    pool_seed: chooses the family of background canvases and fabrics (pictures with equal rng and pool_seed are equal).
    """
    if framing not in ("scene", "portrait"):
        raise ValueError(f'framing must be "scene" or "portrait", got {framing!r}')
    on = ingredients or Ingredients()
    body = load_body(device)
    plans = [_plan(body, rng, size_hw, framing, num_people, on) for rng in rngs]
    everybody = [person for plan in plans for person in plan.people]
    if everybody:
        posed = body.pose(np.stack([p.shape for p in everybody]), np.stack([p.pose for p in everybody]))
    pictures, start = [], 0
    for plan in plans:
        stop = start + len(plan.people)
        vertices = posed["vertices"][start:stop] if plan.people else torch.zeros(0, len(body.coordinates.rest), 3)
        keypoints = posed["keypoints"][start:stop] if plan.people else torch.zeros(0, len(KEYPOINT_NAMES), 3)
        pictures.append(_Picture(body, plan, vertices, keypoints, size_hw, on, device, pool_seed).render())
        start = stop
    return pictures


def _plan(body, rng, size_hw, framing, num_people, on) -> _Plan:
    if framing == "scene":
        count = int(rng.choice(7, p=[0.14, 0.34, 0.2, 0.12, 0.09, 0.06, 0.05])) if num_people is None else num_people
        if count == 1 and rng.random() < 0.6:  # a photo of one person, seen as a whole
            return _Plan(rng, [sample_person(body, rng, on, 0.6)], None, np.zeros((1, 2)), "photo")
        camera = scene_camera(rng, size_hw)
        spots = scene_spots(rng, camera, count)
        return _Plan(rng, [sample_person(body, rng, on, 0.4) for _ in spots], camera, spots, framing)
    count = num_people
    if count is None:
        count = 1 + (int(rng.choice(3, p=[0.7, 0.2, 0.1])) if on.other_people else 0)
    people = [sample_person(body, rng, on, 0.6 if k == 0 else 0.4) for k in range(count)]
    spots = np.zeros((count, 2))
    for k in range(1, count):  # beside, behind, sometimes in front
        spots[k] = rng.choice([-1, 1]) * rng.uniform(0.3, 1.1), rng.choice([rng.uniform(0.2, 3), rng.uniform(-0.7, 0)], p=[0.8, 0.2])
    return _Plan(rng, people, None, spots, framing)


class _Picture:
    """One picture on its way from posed bodies to pixels."""

    def __init__(self, body, plan, vertices, keypoints, size_hw, on, device, pool_seed):
        self.body, self.plan, self.rng, self.on = body, plan, plan.rng, on
        self.size_hw, self.device, self.pool_seed = tuple(size_hw), device, pool_seed
        self.vertices = vertices.clone()
        self.keypoints = keypoints.cpu().numpy().copy()
        self.frame: np.ndarray | None = None
        for k, person in enumerate(plan.people):
            points = vertices[k].cpu().numpy()
            rotation, shift = placed(points, person.yaw, plan.spots[k])
            self.vertices[k] = vertices[k] @ torch.from_numpy(rotation.T.copy()).to(device) + torch.from_numpy(shift).to(device)
            self.keypoints[k] = self.keypoints[k] @ rotation.T + shift
        self.camera = plan.camera or self._portrait()

    def _portrait(self) -> Camera:
        skin = self.vertices[0].cpu().numpy()[::7]
        target = (skin.min(0) + skin.max(0)) / 2
        camera = portrait_camera(self.rng, self.on, target, max(np.ptp(skin[:, 2]), 0.8))
        shown, frame = frame_portrait(self.rng, self.on, camera, skin, self.size_hw)
        if self.plan.framing == "photo":
            return whole_photo(self.rng, shown, frame, skin, self.size_hw)
        self.frame = frame
        return shown

    def _screen(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Camera-space points and (x, y, depth) in pixels of world points (N, 3)."""
        rotation = torch.from_numpy(np.ascontiguousarray(self.camera.rotation.T, np.float32)).to(self.device)
        shift = torch.from_numpy(self.camera.translation.astype(np.float32)).to(self.device)
        camera = points @ rotation + shift
        depth = camera[:, 2:].clamp(min=1e-4)
        center = torch.tensor(self.camera.center_px, dtype=torch.float32, device=self.device)
        return camera, torch.cat([camera[:, :2] / depth * self.camera.focal_px + center, camera[:, 2:]], 1)

    def render(self) -> RenderedImage:
        background = self._background()
        if not self.plan.people:
            return self._finish(background, None, None, None)
        num_people, num_triangles = len(self.plan.people), len(self.body.triangles)
        skin = self.vertices.reshape(-1, 3).contiguous()
        offsets = torch.arange(num_people, dtype=torch.int32, device=self.device) * self.vertices.shape[1]
        triangles = (self.body.triangles[None] + offsets[:, None, None]).reshape(-1, 3).contiguous()
        _, screen = self._screen(skin)
        body_seen = rasterize(screen, triangles, self.size_hw)
        mesh, owner = self._dress(skin, triangles)
        camera_space, dressed_screen = self._screen(mesh["vertices"])
        seen = rasterize(dressed_screen, mesh["triangles"], self.size_hw)
        image = self._light(seen, mesh, camera_space, background)
        person_seen = torch.where(seen[0] >= 0, owner[seen[0].clamp(min=0).long()], -1)
        person_body = torch.where(body_seen[0] >= 0, torch.div(body_seen[0], num_triangles, rounding_mode="floor"), -1)
        labelled = (person_body >= 0) & (person_body == person_seen)
        image, hidden = self._occlude(image, labelled, person_body)
        return self._finish(image, body_seen, labelled & ~hidden, person_body)

    # --- appearance -------------------------------------------------------------------------------------------------

    def _background(self) -> torch.Tensor:
        if not self.on.backgrounds:
            return torch.full((*self.size_hw, 3), 0.5, device=self.device)
        return make_background(self.rng, self.size_hw, pool_seed=self.pool_seed, device=self.device)

    def _dress(self, skin: torch.Tensor, triangles: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """The dressed mesh of everybody, and the person (T',) that each triangle belongs to."""
        body, where, rng = self.body, self.body.coordinates, self.rng
        numpy_triangles = _triangles_numpy(self.device)
        normals = vertex_normals(skin, triangles)
        hips = _hip_vertices(self.device)
        num_vertices = len(where.rest)
        parts: dict[str, list] = {name: [] for name in ("vertices", "triangles", "cloth", "facing", "paint", "material", "owner")}
        materials: list[tuple[Outfit, int]] = []
        base = 0
        extra_base = len(skin)
        drapes: list[tuple[int, int, Drape]] = []
        thickness = []
        for k in range(len(self.plan.people)):
            outfit = sample_outfit(where, numpy_triangles, rng, self.on)
            points = self.vertices[k][hips].cpu().numpy() if outfit.has_skirt else np.zeros((1, 3))
            hanging = drapes_of(outfit, self.keypoints[k], points, rng, self.on.bags)
            drapes.extend((k, base, drape) for drape in hanging)
            thickness.append(outfit.thickness)
            parts["cloth"].append(where.rest)
            parts["facing"].append(where.normal)
            parts["paint"].append(outfit.colour)
            parts["material"].append(outfit.material + base)
            parts["owner"].append(np.full(len(numpy_triangles), k, np.int32))
            materials.extend((outfit, m) for m in range(len(outfit.materials)))
            base += len(outfit.materials)
        scale = torch.from_numpy(np.concatenate(thickness)).to(self.device)
        dressed = [skin + normals * scale[:, None]]
        all_triangles = [triangles]
        for k, material_base, drape in drapes:
            dressed.append(torch.from_numpy(drape.vertices).to(self.device))
            all_triangles.append(torch.from_numpy(drape.triangles).to(self.device) + extra_base)
            extra_base += len(drape.vertices)
            parts["cloth"].append(drape.cloth)
            parts["facing"].append(np.tile(np.array([[0, -0.01, 0]], np.float32), (len(drape.vertices), 1)))
            parts["paint"].append(np.ones((len(drape.vertices), 3), np.float32))
            parts["material"].append(np.full(len(drape.triangles), drape.material + material_base, np.int32))
            parts["owner"].append(np.full(len(drape.triangles), k, np.int32))
        del num_vertices, body
        table, textures = self._materials(materials)
        device = self.device
        mesh = {name: torch.from_numpy(np.concatenate(parts[name])).to(device) for name in ("cloth", "facing", "paint", "material")}
        mesh["vertices"] = torch.cat(dressed)
        mesh["triangles"] = torch.cat(all_triangles).contiguous()
        mesh["materials"], mesh["textures"] = table, textures
        return mesh, torch.from_numpy(np.concatenate(parts["owner"])).to(device)

    def _materials(self, materials: list[tuple[Outfit, int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """The shading table (M, 16) and the textures (K, 256, 256, 4) it refers to; texture 0 is fold noise."""
        rng, device = self.rng, self.device
        table = np.zeros((len(materials), MATERIAL_COLUMNS), np.float32)
        stack = [_fold_noise(device)]
        for row, (outfit, index) in enumerate(materials):
            material = outfit.materials[index]
            table[row, :3] = material.colour
            table[row, 3], table[row, 8] = -1, -1
            table[row, 4:8] = material.scale, material.angle, material.specular, material.fold
            table[row, 13] = material.texture == "skin"
            if material.texture in ("fabric", "hair"):
                table[row, 3] = len(stack)
                texture = _hair_strands(device) if material.texture == "hair" else make_texture(rng, self.pool_seed, device)
                if material.texture == "fabric":
                    table[row, :3] = 1.0
                stack.append(torch.nn.functional.pad(texture, (0, 1), value=1.0))
            if material.decal is not None:
                table[row, 8] = len(stack)
                table[row, 9:13] = material.decal
                ink = make_print(rng, device).permute(2, 0, 1)[None]
                ink = torch.nn.functional.interpolate(ink, size=(TEXTURE_SIZE, TEXTURE_SIZE), mode="bilinear")
                stack.append(ink[0].permute(1, 2, 0))
        return torch.from_numpy(table).to(device), torch.stack(stack).contiguous()

    def _light(self, seen, mesh, camera_space, background) -> torch.Tensor:
        lighting, key_world = sample_lighting(self.rng, self.camera.rotation, self.on)
        mesh["normals"] = vertex_normals(camera_space.contiguous(), mesh["triangles"])
        matrix = _light_matrix(mesh["vertices"], key_world)
        world = torch.from_numpy(matrix.astype(np.float32)).to(self.device)
        mesh["in_light"] = (mesh["vertices"] @ world[:3, :3].T + world[:3, 3]).contiguous()
        shadow_map = rasterize(mesh["in_light"], mesh["triangles"], (SHADOW_SIZE, SHADOW_SIZE))[2].contiguous()
        ground = None
        if self.on.shadows and self.rng.random() < 0.8:
            to_world = np.eye(4)
            to_world[:3, :3] = self.camera.rotation.T
            to_world[:3, 3] = self.camera.position
            up = self.camera.rotation @ np.array([0.0, 0.0, 1.0])
            origin = self.camera.translation  # the world's origin lies on the floor
            ground = np.array([*up, -up @ origin]), matrix @ to_world
        return shade(seen, mesh, lighting, shadow_map, self.camera, background, ground)

    def _occlude(self, image, labelled, person) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = torch.zeros_like(labelled)
        if not self.on.occluders:
            return image, hidden
        chance = 0.22 if self.plan.framing == "portrait" else 0.12
        for k in range(len(self.plan.people)):
            if self.rng.random() > chance:
                continue
            box = _box_of((labelled & (person == k)).cpu().numpy())
            if box[2] - box[0] < 6 or box[3] - box[1] < 6:
                continue
            rgb, alpha = make_occluder(self.rng, self.size_hw, box, pool_seed=self.pool_seed, device=self.device)
            image = image * (1 - alpha[..., None]) + rgb * alpha[..., None]
            hidden |= alpha > 0.5
        return image, hidden

    # --- truth ------------------------------------------------------------------------------------------------------

    def _finish(self, image, body_seen, labelled, person) -> RenderedImage:
        height, width = self.size_hw
        outside = self._outside()
        pixels = apply_sensor(self.rng, image.clamp(0, 1)) if self.on.sensor else (image.clamp(0, 1) * 255).round().to(torch.uint8)
        pixels = pixels.cpu().numpy().copy()
        pixels[outside] = OUTSIDE_GREY
        num_people = len(self.plan.people)
        if body_seen is None:
            blank = np.zeros((height, width), np.float32)
            face = np.full((height, width), -1, np.int32)
            return RenderedImage(pixels, blank.astype(np.uint8), blank, blank.copy(), blank.astype(np.uint8),
                                 np.full((height, width), np.inf, np.float32), np.zeros((0, 4), np.float32),
                                 np.zeros((0, len(KEYPOINT_NAMES), 3), np.float32), face, np.zeros((height, width, 3), np.float32),
                                 np.zeros((0, len(self.body.coordinates.rest), 3), np.float32), self.camera)  # fmt: skip
        labelled = labelled & ~torch.from_numpy(outside).to(self.device)
        triangle, barycentric, depth = body_seen
        tables = _labels(self.device)
        local = (triangle % len(self.body.triangles)).clamp(min=0).long()
        face = tables.nearest_face[local]
        skin = tables.is_skin[local]
        barycentric = torch.where(skin[..., None], barycentric, torch.full_like(barycentric, 1 / 3))
        uv = (tables.uv[face.long()] * barycentric[..., None]).sum(-2)
        zero = torch.zeros((), device=self.device)
        i = torch.where(labelled, tables.chart[face.long()], 0).to(torch.uint8).cpu().numpy()
        u = torch.where(labelled, uv[..., 0].clamp(0, 1), zero).cpu().numpy()
        v = torch.where(labelled, uv[..., 1].clamp(0, 1), zero).cpu().numpy()
        ids = torch.where(labelled, person + 1, 0).to(torch.uint8).cpu().numpy()
        depth_map = torch.where(labelled, depth, torch.full_like(depth, torch.inf)).cpu().numpy()
        boxes = np.stack([_box_of(ids == k + 1) for k in range(num_people)])
        return RenderedImage(
            pixels, i, u, v, ids, depth_map, boxes, self._keypoints(ids, depth_map, outside),
            torch.where(labelled, face, -1).cpu().numpy(), torch.where(labelled[..., None], barycentric, zero).cpu().numpy(),
            self.vertices.cpu().numpy(), self.camera,
        )  # fmt: skip

    def _outside(self) -> np.ndarray:
        """(H, W) bool: pixels of the crop that lie beyond the photo's edge."""
        height, width = self.size_hw
        outside = np.zeros((height, width), bool)
        if self.frame is not None:
            x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
            outside |= ((x < self.frame[0]) | (x > self.frame[2]))[None] | ((y < self.frame[1]) | (y > self.frame[3]))[:, None]
        return outside

    def _keypoints(self, ids: np.ndarray, depth: np.ndarray, outside: np.ndarray) -> np.ndarray:
        """COCO keypoints (P, 17, 3): 0 outside the photo, 2 seen (the skin in front of it is this person's), else 1."""
        height, width = self.size_hw
        out = np.zeros((len(self.keypoints), len(KEYPOINT_NAMES), 3), np.float32)
        for k, joints in enumerate(self.keypoints):
            camera = self.camera.to_camera(joints)
            xy = camera[:, :2] / np.maximum(camera[:, 2:], 1e-4) * self.camera.focal_px + np.asarray(self.camera.center_px)
            column, row = np.floor(xy).astype(int).T
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (camera[:, 2] > 0)
            column, row = column.clip(0, width - 1), row.clip(0, height - 1)
            inside &= ~outside[row, column]
            near = np.abs(depth[row, column] - camera[:, 2]) < 0.15  # a joint lies inside the body, under the skin
            visible = inside & (ids[row, column] == k + 1) & near
            out[k, :, :2] = np.where(inside[:, None], xy, 0)
            out[k, :, 2] = np.where(visible, 2, np.where(inside, 1, 0))
        return out


@functools.cache
def _triangles_numpy(device: str) -> np.ndarray:
    return load_body(device).triangles.cpu().numpy()


@functools.cache
def _hip_vertices(device: str) -> torch.Tensor:
    where = load_body(device).coordinates
    near = where.is_in("torso", "leg") & (where.rest[:, 2] < 0.0) & (where.rest[:, 2] > -0.1)
    return torch.from_numpy(np.flatnonzero(near)).to(device)


@functools.cache
def _fold_noise(device: str) -> torch.Tensor:
    channels = [fbm_2d(np.random.default_rng(k), (TEXTURE_SIZE, TEXTURE_SIZE), octaves=4, tile=True) for k in range(3)]
    noise = torch.stack([*channels, torch.ones_like(channels[0])], -1)
    spread = noise[..., :3] - noise[..., :3].mean((0, 1))
    noise[..., :3] = 0.5 + spread / spread.std() * 0.35
    return noise.to(device)


@functools.cache
def _hair_strands(device: str) -> torch.Tensor:
    """(256, 256, 3) strands with mean 1, to multiply a hair colour with."""
    strands = make_hair_texture(np.random.default_rng(3)).mean(-1, keepdim=True)
    strands = (strands / strands.mean()).clamp(0.2, 3).sqrt().expand(-1, -1, 3)
    return strands.repeat(2, 2, 1)[:TEXTURE_SIZE, :TEXTURE_SIZE].contiguous().to(device)


def _light_matrix(points: torch.Tensor, key_world: np.ndarray) -> np.ndarray:
    """(4, 4): world to shadow-map pixels (x, y) and depth in metres + 1, for parallel light from key_world."""
    forward = -key_world / np.linalg.norm(key_world)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right = right / np.linalg.norm(right) if np.linalg.norm(right) > 1e-3 else np.array([1.0, 0.0, 0.0])
    axes = np.stack([right, np.cross(forward, right), forward])
    there = points @ torch.from_numpy(axes.T.astype(np.float32)).to(points.device)
    low, high = there.min(0).values.cpu().numpy(), there.max(0).values.cpu().numpy()
    scale = (SHADOW_SIZE - 4) / max(high[0] - low[0], high[1] - low[1], 1e-3)
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.array([[scale], [scale], [1.0]])
    matrix[:3, 3] = -low * np.array([scale, scale, 1.0]) + np.array([2, 2, 1.0])
    return matrix


def _box_of(mask: np.ndarray) -> np.ndarray:
    """xyxy box (4,) float32 of a mask's pixels, zeros if it is empty."""
    if not mask.any():
        return np.zeros(4, np.float32)
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return np.array([x, y, x + width, y + height], np.float32)
