"""Pictures of synthetic people with their truth: the one entrance is render_images (render_image for a single one).

Letters: P people of a picture, V vertices and T triangles of one body, H, W image.
"""

from typing import Any

import numpy as np
import torch

from opendensepose.camera import Camera
from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.backgrounds.background import make_background
from opendensepose.synth.backgrounds.panoramas import Surroundings, load_panoramas, surroundings
from opendensepose.synth.body.body import Body, PosedBodies, load_body
from opendensepose.synth.drawing.contact_shadow import darken_contacts
from opendensepose.synth.drawing.mesh import Mesh, join
from opendensepose.synth.drawing.rasterize import Fragments, depth_map, rasterize
from opendensepose.synth.drawing.sensor import apply_sensor
from opendensepose.synth.drawing.shade import SHADOW_SIZE, Floor, ShadowMap, shade
from opendensepose.synth.drawing.vertices import project, transform, vertex_normals
from opendensepose.synth.dress import dressed_mesh
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.person_free_photos import PERSON_FREE_PHOTOS, TRAINING_PHOTOS, use_photos
from opendensepose.synth.scene.cameras import frame_portrait, portrait_camera, whole_photo
from opendensepose.synth.scene.hard_negatives import hard_negative
from opendensepose.synth.scene.lights import light_matrix, sample_lighting
from opendensepose.synth.scene.occluder import make_occluder
from opendensepose.synth.scene.person import phenotypes_of, placed
from opendensepose.synth.scene.plan import PicturePlan, plan_picture
from opendensepose.synth.scene.props import props_of
from opendensepose.synth.scene.solid import mesh_of
from opendensepose.synth.textures.atlas import UvMapping
from opendensepose.synth.truth import (
    PersonTruth,
    RenderedImage,
    box_of,
    empty_truth,
    facing_yaws,
    keypoints_in_image,
    label_maps,
)
from opendensepose.synth.wardrobe.garment_mesh import Bodies
from opendensepose.synth.wardrobe.wardrobe import Wardrobe, load_wardrobe

__all__ = ["OUTSIDE_GREY", "render_image", "render_images", "render_plans"]

NOBODY = -1  # owner of a triangle that belongs to no person
PANORAMA_SHARE = 0.45  # of the pictures that are taken in a photographed panorama, if panoramas were fetched
OUTSIDE_GREY = 127  # what a crop shows beyond the photo's edge, here and in prediction


def render_image(rng: np.random.Generator, size_hw: tuple[int, int], **options: Any) -> RenderedImage:
    """Render one picture; see render_images for the options."""
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
    """Render pictures, one per random generator; their bodies are posed in one batch.

    framing: "portrait" frames the first person as a detector's padded box (outside of the photo the crop is grey),
    "scene" is a whole photo. num_people: None draws 0 to 6 for a scene, and bystanders for a portrait. ingredients:
    which kinds of variety are enabled; None enables all. pool_seed: chooses the pool of background canvases and fabrics
    (pictures with equal rng and pool_seed are equal). ValueError for an unknown framing.
    """
    if framing not in ("scene", "portrait"):
        raise ValueError(f'framing must be "scene" or "portrait", got {framing!r}')
    enabled_ingredients = ingredients or Ingredients()
    height, width = size_hw
    body = load_body(device)
    with use_photos(TRAINING_PHOTOS if enabled_ingredients.photos_held_out else PERSON_FREE_PHOTOS):
        plans = [plan_picture(body, rng, size_hw, framing, num_people, enabled_ingredients) for rng in rngs]
        return render_plans(body, plans, (height, width), enabled_ingredients, device, pool_seed)


def render_plans(
    body: Body,
    plans: list[PicturePlan],
    size_hw: tuple[int, int],
    enabled_ingredients: Ingredients,
    device: str = "cpu",
    pool_seed: int = 0,
) -> list[RenderedImage]:
    """Render pictures that are planned; the other arguments are those of render_images."""
    everybody = [person for plan in plans for person in plan.people]
    wardrobe = load_wardrobe(device) if enabled_ingredients.wardrobe else None
    if everybody:
        pose = body.pose if wardrobe is None else body.base.pose
        posed = pose(
            np.stack([p.shape for p in everybody]),
            np.stack([p.posture.rotations for p in everybody]),
            [p.traits for p in everybody],
        )
    else:
        no_keypoints = torch.zeros(0, len(KEYPOINT_NAMES), 3)
        posed = PosedBodies(torch.zeros(0, len(body.coordinates.rest), 3), no_keypoints)
    pictures, start = [], 0
    for plan in plans:
        stop = start + len(plan.people)
        own = posed.part(start, stop)
        pictures.append(_Picture(body, plan, own, size_hw, enabled_ingredients, device, pool_seed, wardrobe).render())
        start = stop
    return pictures


class _Picture:
    """One picture under construction, from posed bodies to pixels."""

    def __init__(
        self,
        body: Body,
        plan: PicturePlan,
        posed: PosedBodies,
        size_hw: tuple[int, int],
        enabled_ingredients: Ingredients,
        device: str,
        pool_seed: int,
        wardrobe: Wardrobe | None,
    ):
        self.body, self.plan, self.rng, self.enabled_ingredients = body, plan, plan.rng, enabled_ingredients
        self.size_hw, self.device, self.pool_seed = size_hw, device, pool_seed
        self.posed, self.wardrobe = posed, wardrobe
        self.vertices = posed.vertices.clone()
        self.keypoints = posed.keypoints.cpu().numpy().copy()
        self.to_world = np.tile(np.eye(4, dtype=np.float32), (len(plan.people), 1, 1))
        self.frame: np.ndarray | None = None
        self.skin_rgb = np.zeros((0, 3), np.float32)
        for k, person in enumerate(plan.people):
            points = posed.vertices[k].cpu().numpy()
            rotation, shift = placed(points, person.yaw, plan.spots[k], person.posture.lift_m)
            self.vertices[k] = transform(posed.vertices[k], rotation, shift)
            self.keypoints[k] = self.keypoints[k] @ rotation.T + shift
            self.to_world[k, :3, :3], self.to_world[k, :3, 3] = rotation, shift
        self.camera = plan.camera or self._portrait()

    def _portrait(self) -> Camera:
        skin = self.vertices[0].cpu().numpy()[::7]
        target = (skin.min(0) + skin.max(0)) / 2
        reach = float(np.linalg.norm(skin - target, axis=1).max())
        camera = portrait_camera(self.rng, self.enabled_ingredients, target, reach)
        shown, frame = frame_portrait(self.rng, self.enabled_ingredients, camera, skin, self.size_hw)
        if self.plan.framing == "photo":
            return whole_photo(self.rng, shown, frame, skin, self.size_hw)
        self.frame = frame
        return shown

    def render(self) -> RenderedImage:
        background, around = self._background()
        num_people, num_triangles = len(self.plan.people), len(self.body.triangles)
        mesh, num_closed, uv = None, 0, None
        if num_people:
            skin, triangles = self.vertices.reshape(-1, 3).contiguous(), self._skin_triangles()
            num_closed = len(triangles)
            body_seen = rasterize(project(skin, self.camera)[1], triangles, self.size_hw, num_closed)
            mesh, owner, uv, self.skin_rgb = dressed_mesh(
                self.rng,
                self.vertices,
                self.keypoints,
                triangles,
                self.enabled_ingredients,
                self.pool_seed,
                self._to_fit(),
            )
        num_dressed = None if mesh is None else len(mesh.vertices)  # the shadow map shows the people, if there are any
        things = self._things()
        for thing in things:
            mesh = thing if mesh is None else join(mesh, thing)
        if mesh is None:
            return self._finish(background, None, None)
        in_camera, screen = project(mesh.vertices, self.camera)
        seen = rasterize(screen, mesh.triangles, self.size_hw, num_closed, uv)
        image = self._light(seen, mesh, in_camera, num_closed, background, around, uv, num_dressed)
        if not num_people:
            return self._finish(image, None, None)
        if num_people == 1 and not things:
            person_seen, person_body = (torch.where(s.triangle >= 0, 0, -1) for s in (seen, body_seen))
        else:
            owner = torch.nn.functional.pad(owner, (0, len(mesh.triangles) - len(owner)), value=NOBODY)
            person_seen = torch.where(seen.triangle >= 0, owner[seen.triangle.clamp(min=0).long()], -1)
            person_body = torch.div(body_seen.triangle, num_triangles, rounding_mode="floor")  # -1 stays -1
        labelled = (person_body >= 0) & (person_body == person_seen)
        image, hidden = self._occlude(image, labelled, person_body)
        return self._finish(image, body_seen, labelled & ~hidden)

    def _skin_triangles(self) -> torch.Tensor:
        """Everybody's triangles (P * T, 3) int32; those of a hand in a pocket shrink to points, which are not drawn."""
        num_people = len(self.plan.people)
        offsets = torch.arange(num_people, dtype=torch.int32, device=self.device) * self.vertices.shape[1]
        triangles = self.body.triangles[None] + offsets[:, None, None]
        for k, person in enumerate(self.plan.people):
            for side in person.posture.pockets:
                hand = self.body.hand_triangles(side)
                triangles[k, hand] = triangles[k, hand][:, :1]
        return triangles.reshape(-1, 3).contiguous()

    def _things(self) -> list[Mesh]:
        """Meshes of what belongs to no person: props, and hard negatives."""
        solids = []
        if self.enabled_ingredients.props:
            where, alone = self.body.coordinates, len(self.plan.people) == 1
            for k, person in enumerate(self.plan.people):
                points = self.vertices[k].cpu().numpy()
                solids += props_of(self.rng, person, points, self.keypoints[k], where, alone)
        # A triangle that reaches behind the camera cannot be drawn: its whole solid is dropped.
        solids = [solid for solid in solids if self.camera.to_camera(solid.vertices)[:, 2].min() > 0.1]
        things = [mesh_of(solids, self.rng, self.pool_seed, self.device)] if solids else []
        negatives = (hard_negative(self.rng, spot, self.pool_seed, self.device) for spot in self.plan.negative_spots)
        return things + [mesh for mesh in negatives if self._shows_top(mesh)]

    def _shows_top(self, mesh: Mesh) -> bool:
        """Whether the highest point is below the photo's upper edge: a mannequin without a head would else look like a
        person whose head is cut off."""
        highest = mesh.vertices[mesh.vertices[:, 2].argmax()].cpu().numpy()
        top = 0.0 if self.frame is None else max(0.0, self.frame[1])
        return bool(self.camera.project(highest)[1] > top)

    # --- appearance -------------------------------------------------------------------------------------------------

    def _background(self) -> tuple[torch.Tensor, Surroundings | None]:
        """The background (H, W, 3), and the panorama's light if the background is one."""
        if self.plan.background is not None:
            return torch.from_numpy(self.plan.background).to(self.device), None
        if not self.enabled_ingredients.backgrounds:
            return torch.full((*self.size_hw, 3), 0.5, device=self.device), None
        panoramas = (
            load_panoramas(self.device)
            if self.enabled_ingredients.panoramas and self.enabled_ingredients.lights
            else ()
        )
        if panoramas and self.rng.random() < PANORAMA_SHARE:
            people = bool(self.plan.people)
            around = surroundings(
                self.rng, panoramas, self.camera, self.size_hw, self.enabled_ingredients.shadows, people
            )
            return around.background, around
        return make_background(self.rng, self.size_hw, pool_seed=self.pool_seed, device=self.device), None

    def _to_fit(self) -> Bodies | None:
        """What the wardrobe is fitted to."""
        if self.wardrobe is None:
            return None
        to_world = torch.from_numpy(self.to_world).to(self.device)
        distance = self.camera.to_camera(self.keypoints.mean(1))[:, 2]
        return Bodies(
            self.wardrobe,
            self.posed.rest,
            (to_world[:, None] @ self.posed.bones).contiguous(),
            [phenotypes_of(self.body, person.shape) for person in self.plan.people],
            self.camera.focal_px / np.maximum(distance, 0.1),
        )

    def _light(
        self,
        seen: Fragments,
        mesh: Mesh,
        in_camera: torch.Tensor,
        num_closed: int,
        background: torch.Tensor,
        around: Surroundings | None,
        uv: UvMapping | None,
        num_dressed: int | None,
    ) -> torch.Tensor:
        """The shaded picture (H, W, 3); the shadow map covers the first num_dressed vertices, None: all."""
        if around is None:
            lighting, key_world = sample_lighting(self.rng, self.camera.rotation, self.enabled_ingredients)
        else:
            lighting, key_world = around.lighting, around.key_world
        normals = vertex_normals(in_camera, mesh.triangles)
        matrix = light_matrix(mesh.vertices[:num_dressed], key_world, SHADOW_SIZE)
        in_light = transform(mesh.vertices, matrix[:3, :3], matrix[:3, 3])
        depth = depth_map(in_light, mesh.triangles, (SHADOW_SIZE, SHADOW_SIZE), num_closed)
        floor = None
        if self.enabled_ingredients.shadows and self.rng.random() < 0.8:
            to_world = np.eye(4)
            to_world[:3, :3] = self.camera.rotation.T
            to_world[:3, 3] = self.camera.position
            up = self.camera.rotation @ np.array([0.0, 0.0, 1.0])
            origin = self.camera.translation  # the world's origin lies on the floor
            floor = Floor(np.array([*up, -up @ origin]), matrix @ to_world)
            if self.enabled_ingredients.contact_shadows:
                background = darken_contacts(background, seen.triangle, mesh.vertices, self.camera)
        return shade(seen, mesh, normals, ShadowMap(depth, in_light), lighting, self.camera, background, floor, uv)

    def _occlude(
        self, image: torch.Tensor, labelled: torch.Tensor, person: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = torch.zeros_like(labelled)
        if not self.enabled_ingredients.occluders:
            return image, hidden
        chance = 0.22 if self.plan.framing == "portrait" else 0.12
        for k in range(len(self.plan.people)):
            if self.rng.random() > chance:
                continue
            box = box_of((labelled & (person == k)).cpu().numpy())
            if box[2] - box[0] < 6 or box[3] - box[1] < 6:
                continue
            rgb, alpha = make_occluder(self.rng, self.size_hw, box, pool_seed=self.pool_seed, device=self.device)
            image = image * (1 - alpha[..., None]) + rgb * alpha[..., None]
            hidden |= alpha > 0.5
        return image, hidden

    # --- truth ------------------------------------------------------------------------------------------------------

    def _finish(self, image: torch.Tensor, body_seen: Fragments | None, labelled: torch.Tensor | None) -> RenderedImage:
        rows, columns = self._shown()
        image = image.clamp(0, 1)
        sensed = (
            apply_sensor(self.rng, image) if self.enabled_ingredients.sensor else (image * 255).round().to(torch.uint8)
        )
        pixels = np.full((*self.size_hw, 3), OUTSIDE_GREY, np.uint8)
        pixels[rows, columns] = sensed.cpu().numpy()[rows, columns]
        if body_seen is None or labelled is None:
            maps = empty_truth(self.size_hw)
        else:
            in_photo = torch.zeros_like(labelled)
            in_photo[rows, columns] = labelled[rows, columns]
            maps = label_maps(body_seen, in_photo, len(self.body.triangles))
        boxes = [box_of(maps.person == k + 1) for k in range(len(self.plan.people))]
        keypoints = keypoints_in_image(self.keypoints, self.camera, maps.person, maps.depth, (rows, columns))
        return RenderedImage(
            image_rgb=pixels,
            boxes_xyxy=np.array(boxes, np.float32).reshape(-1, 4),
            keypoints=keypoints,
            vertices=self.vertices.cpu().numpy(),
            camera=self.camera,
            yaws=facing_yaws(self.keypoints, self.camera),
            people=[
                PersonTruth(phenotypes_of(self.body, person.shape), person.posture.family, skin_rgb)
                for person, skin_rgb in zip(self.plan.people, self.skin_rgb, strict=True)
            ],
            **maps._asdict(),
        )

    def _shown(self) -> tuple[slice, slice]:
        """Rows and columns of the crop whose pixel centres lie on the photo."""
        height, width = self.size_hw
        if self.frame is None:
            return slice(0, height), slice(0, width)
        first = np.ceil(self.frame[:2] - 0.5).clip(0, (width, height)).astype(int)
        stop = (np.floor(self.frame[2:] - 0.5) + 1).clip(first, (width, height)).astype(int)
        return slice(first[1], stop[1]), slice(first[0], stop[0])
