"""Procedural clothes and skin: paint and thickness on the body's own triangles.

A garment is a set of covered vertices, displaced along their normals, with a material for the triangles between them:
each of its points belongs to one body point. What leaves the body's shape (skirts, long hair, brims) is in drape.py.

Letters: V vertices, T triangles of the whole body model.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from opendensepose.synth.body.body import BodyCoordinates
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.textures.material_table import Decal, Material

__all__ = ["BrimStyle", "DENIM", "HAIR_COLOURS", "HairStyle", "Outfit", "SkirtStyle", "bare_face", "random_colour",
           "sample_outfit"]  # fmt: skip


@dataclass(frozen=True)
class SkirtStyle:
    """A skirt that swings free of the legs."""

    material: int  # index into the outfit's materials
    length: float  # from the hips: 1 reaches the knees, 2 the ankles
    flare: float  # metres that the radius grows from hips to knees
    waist: float  # how far it starts above the hips, in thighs
    folds: int  # around the hem
    fold_depth: float


@dataclass(frozen=True)
class HairStyle:
    """Hair that leaves the head's shape."""

    kind: str  # "medium", "long" or "bun"
    material: int
    puff: float  # metres of hair on the scalp


@dataclass(frozen=True)
class BrimStyle:
    """The brim of a hat."""

    material: int
    front_only: bool
    width: float  # metres on the neutral adult


@dataclass
class Outfit:
    """What one person wears on the skin, and the styles of what swings free of it (None if not worn)."""

    thickness: np.ndarray  # (V,) metres of cloth on the skin
    material: np.ndarray  # (T,) index into materials, 0 is skin
    colour: np.ndarray  # (V, 3) sRGB paint of the skin
    materials: list[Material]
    skirt: SkirtStyle | None = None
    hair: HairStyle | None = None
    brim: BrimStyle | None = None


_SKIN = np.array([[0.98, 0.87, 0.80], [0.94, 0.78, 0.68], [0.89, 0.70, 0.57], [0.80, 0.60, 0.45], [0.66, 0.46, 0.33],
                  [0.50, 0.34, 0.24], [0.36, 0.24, 0.17], [0.25, 0.17, 0.13]])  # fmt: skip
HAIR_COLOURS = np.array(
    [
        [0.06, 0.05, 0.05],
        [0.12, 0.08, 0.06],
        [0.22, 0.14, 0.09],
        [0.36, 0.24, 0.15],
        [0.52, 0.37, 0.22],
        [0.72, 0.58, 0.38],
        [0.85, 0.75, 0.55],
        [0.45, 0.2, 0.1],
        [0.6, 0.6, 0.6],
        [0.85, 0.85, 0.84],
    ]
)
_NEUTRALS = np.array([[0.04, 0.04, 0.05], [0.09, 0.09, 0.10], [0.2, 0.2, 0.21], [0.45, 0.45, 0.46], [0.75, 0.75, 0.74],
                      [0.95, 0.95, 0.94], [0.97, 0.97, 0.97], [0.07, 0.09, 0.18], [0.12, 0.16, 0.3], [0.76, 0.69, 0.57],
                      [0.33, 0.24, 0.17], [0.35, 0.36, 0.26]])  # fmt: skip
DENIM = np.array([[0.1, 0.13, 0.2], [0.17, 0.23, 0.35], [0.3, 0.4, 0.55], [0.55, 0.65, 0.75], [0.08, 0.08, 0.1]])


def random_colour(rng: np.random.Generator) -> np.ndarray:
    """Draw a garment's colour (3,) sRGB: mostly black, white, grey, navy, beige; else any hue."""
    if rng.random() < 0.6:
        return np.clip(_NEUTRALS[rng.integers(len(_NEUTRALS))] + rng.normal(0, 0.025, 3), 0.01, 1)
    hue, saturation, value = rng.random(), rng.uniform(0.15, 1) ** 0.8, rng.uniform(0.1, 1)
    k = (np.array([5, 3, 1]) + hue * 6) % 6
    return value - value * saturation * np.clip(np.minimum(k, 4 - k), 0, 1)


WAVES_KEPT = 96  # plane waves that the folds of cloth are made of


def _waves(rng: np.random.Generator, where: BodyCoordinates, wavelength: float) -> np.ndarray:
    """A smooth random field in about [-1, 1] at the body's vertices (V,): three plane waves out of a fixed set."""
    a, b, c = rng.integers(WAVES_KEPT, size=3)
    fields = _plane_waves(where, wavelength)
    return (fields[a] + fields[b] - fields[c]) / np.float32(2.2)


def _plane_waves(where: BodyCoordinates, wavelength: float) -> np.ndarray:
    """(WAVES_KEPT, V) float32 sines with random directions and wavelengths of 0.6 to 1.6 of the given one.

    Cached: computing them takes as long as drawing the body.
    """
    if wavelength not in where.waves:
        rng = np.random.default_rng(0)
        direction = rng.normal(0, 1, (WAVES_KEPT, 3))
        length = wavelength * rng.uniform(0.6, 1.6, (WAVES_KEPT, 1)) * np.linalg.norm(direction, axis=1, keepdims=True)
        phase = rng.uniform(0, 2 * np.pi, (WAVES_KEPT, 1))
        where.waves[wavelength] = np.sin(2 * np.pi / length * direction @ where.rest.T + phase).astype(np.float32)
    return where.waves[wavelength]


class _Dresser:
    """An outfit under construction: each garment covers those put on before."""

    def __init__(self, where: BodyCoordinates, triangles: np.ndarray, rng: np.random.Generator, textures: bool):
        self.where, self.rng, self.textures = where, rng, textures
        self.triangles = triangles
        num_vertices = len(where.rest)
        self.outfit = Outfit(
            thickness=np.zeros(num_vertices, np.float32),
            material=np.zeros(len(triangles), np.int32),
            colour=np.ones((num_vertices, 3), np.float32),
            materials=[Material(np.ones(3), texture="skin", scale=6.0, specular=0.06)],
        )
        self.layers = [0]  # material of each layer, the skin first
        self.worn = np.zeros(num_vertices, np.uint32)  # bit k: layer k + 1 covers the vertex
        self.x, self.z = where.rest[:, 0], where.rest[:, 2]
        self.front = where.normal[:, 1] < 0
        self.torso, self.arm, self.leg = where.is_in("torso"), where.is_in("arm"), where.is_in("leg")
        self.foot, self.hand = where.is_in("foot"), where.is_in("hand")
        self.neck, self.head = where.is_in("neck"), where.is_in("head")

    def fabric(self, colour: np.ndarray | None = None, plain: float = 0.6, fold: float = 0.5) -> Material:
        rng = self.rng
        pattern = self.textures and rng.random() > plain
        return Material(
            colour=random_colour(rng) if colour is None else colour,
            texture="fabric" if pattern else "none",
            scale=float(np.exp(rng.uniform(np.log(1.2), np.log(9)))),
            angle=float(rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)], p=[0.6, 0.2, 0.2])),
            specular=float(rng.choice([0.01, 0.04, 0.25], p=[0.6, 0.3, 0.1])),
            fold=fold * rng.uniform(0.2, 1.0),
        )

    def wear(self, covered: np.ndarray, material: Material, thickness: np.ndarray | float) -> int:
        """Cover vertices (V,) bool with a material; return its index."""
        self.outfit.materials.append(material)
        index = len(self.outfit.materials) - 1
        self.worn |= covered.astype(np.uint32) << np.uint32(len(self.layers) - 1)
        self.layers.append(index)
        before = self.outfit.thickness
        self.outfit.thickness = np.where(covered, np.maximum(before + np.float32(0.003), thickness), before)
        return index

    def finished(self) -> Outfit:
        """The outfit: a triangle shows the outermost layer that covers all of its corners."""
        a, b, c = self.worn[self.triangles].T
        of_mask = np.zeros(1, np.int32)  # the outermost of each set of layers: that of its highest bit
        for material in self.layers[1:]:
            of_mask = np.concatenate([of_mask, np.full(len(of_mask), material, np.int32)])
        self.outfit.material = of_mask[a & b & c]
        self.outfit.thickness = self.outfit.thickness.astype(np.float32)
        return self.outfit

    def cloth_thickness(self, fit: float, wavelength: float) -> np.ndarray:
        """Distance of cloth from skin, (V,) metres: `fit` is its mean; folds grow with it."""
        return np.maximum(fit * (1 + 0.55 * _waves(self.rng, self.where, wavelength)), 0.0015)


def bare_face(where: BodyCoordinates) -> np.ndarray:
    """List the vertices of the face that are never painted: forehead, nose and cheeks."""
    return _face_areas(where)["bare"]


def _face_areas(where: BodyCoordinates) -> dict[str, np.ndarray]:
    """Vertex indices of the painted areas of faces, cached per body."""
    if not where.areas:
        x, z, eyes = np.abs(where.rest[:, 0]), where.rest[:, 2], where.is_in("eye")
        head, before = where.is_in("head"), where.rest[:, 1]
        face = head & (before < -0.09)
        lips = face & (np.abs(z - 0.579) < 0.010) & (x < 0.026)
        masks = {
            "lips": lips,
            "brows": face & (np.abs(z - 0.668) < 0.006) & (np.abs(x - 0.032) < 0.020),
            "sockets": face & (np.abs(z - 0.65) < 0.012) & (np.abs(x - 0.031) < 0.018),
            "eyes": eyes,
            "irises": eyes & (np.abs(z - 0.651) < 0.007) & (np.abs(x - 0.031) < 0.007) & (before < -0.1),
            "beard": head & (before < -0.04) & (z < 0.585 + 0.3 * np.maximum(x - 0.045, 0)) & ~lips,
            "glasses": face & (np.abs(z - 0.65) < 0.019) & (x < 0.062),
            "mask": face & (z < 0.615) & (z > 0.54),
        }
        masks["bare"] = face & ~np.any(list(masks.values()), axis=0)
        where.areas.update({name: np.flatnonzero(mask) for name, mask in masks.items()})
    return where.areas


def _paint_skin(d: _Dresser, skin_tones: bool) -> np.ndarray:
    rng, area = d.rng, _face_areas(d.where)
    k = rng.uniform(0, len(_SKIN) - 1) if skin_tones else 1.0
    tone = _SKIN[int(k)] * (1 - k % 1) + _SKIN[min(int(k) + 1, len(_SKIN) - 1)] * (k % 1)
    tone = np.clip(tone + rng.normal(0, 0.02, 3), 0.03, 1).astype(np.float32)
    blotches = 1 + np.float32(0.04) * _waves(rng, d.where, 0.25)
    colour = blotches[:, None] * tone
    colour[area["lips"]] *= np.array([0.92, 0.62, 0.62] if rng.random() < 0.7 else [0.85, 0.25, 0.3], np.float32)
    colour[area["brows"]] *= np.float32(rng.uniform(0.25, 0.7))
    colour[area["sockets"]] *= np.float32(rng.uniform(0.5, 0.9))
    colour[area["eyes"]] = 0.85
    colour[area["irises"]] = rng.uniform(0.02, 0.3, 3)
    return _paint_beard_glasses_mask(d, colour)


def _paint_over_texture(d: _Dresser, beard: bool) -> np.ndarray:
    """Factors (V, 3) of a photographed skin's colours."""
    blotches = 1 + np.float32(0.04) * _waves(d.rng, d.where, 0.25)
    return _paint_beard_glasses_mask(d, np.repeat(blotches[:, None], 3, 1), beard)


def _paint_beard_glasses_mask(d: _Dresser, colour: np.ndarray, beard: bool = True) -> np.ndarray:
    rng, area = d.rng, _face_areas(d.where)
    if beard and rng.random() < 0.12:
        colour[area["beard"]] = 0.35 * colour[area["beard"]] + np.float32(0.65) * HAIR_COLOURS[rng.integers(5)]
    if rng.random() < 0.06:  # mostly dark
        colour[area["glasses"]] *= np.float32(rng.uniform(0.05, 0.4))
    if rng.random() < 0.03:
        colour[area["mask"]] = random_colour(rng)
    return np.clip(colour, 0.01, 1, out=colour)


def _trousers(d: _Dresser) -> None:
    rng = d.rng
    waist = rng.uniform(0.02, 0.15)
    length = rng.choice([rng.uniform(0.3, 0.95), rng.uniform(1.2, 1.7), rng.uniform(1.8, 2.2)], p=[0.22, 0.08, 0.7])
    covered = (d.torso & (d.z < waist)) | (d.leg & (d.where.along < length))
    if length > 1.7:
        covered |= d.foot & (d.z > -0.79)
    fit = rng.choice([0.004, rng.uniform(0.006, 0.016), rng.uniform(0.016, 0.045)], p=[0.45, 0.35, 0.2])
    thickness = d.cloth_thickness(fit, 0.15)
    flare = rng.choice([0.0, rng.uniform(0, 0.03)])
    thickness = thickness + flare * np.maximum(d.where.along - 0.9, 0) * d.leg
    denim = rng.random() < 0.45
    colour = np.clip(DENIM[rng.integers(len(DENIM))] + rng.normal(0, 0.02, 3), 0.02, 1) if denim else None
    d.wear(covered, d.fabric(colour, plain=0.85, fold=0.7), thickness)
    if rng.random() < 0.3:  # belt
        d.wear(d.torso & (np.abs(d.z - waist) < 0.018), d.fabric(plain=1.0, fold=0.1), thickness + 0.002)


def _top_area(d: _Dresser, hem: float, sleeve: float, neckline: str) -> np.ndarray:
    z, x, rng = d.z, np.abs(d.x), d.rng
    body = (d.torso | (d.leg & (d.where.along < 0.6))) & (z > hem)
    if neckline == "high":
        body |= d.neck
    else:
        depth = {"crew": 0.02, "round": 0.06, "vee": 0.13, "low": 0.16}[neckline]
        width = rng.uniform(0.05, 0.1)
        opening = 0.485 - depth * np.maximum(0, 1 - (x / width) ** (1 if neckline == "vee" else 2))
        body &= ~(d.front & (z > opening) & (x < width))
        body &= z < 0.52
    if sleeve <= 0:  # tank tops and straps
        strap = rng.uniform(0.03, 0.11)
        body &= ~((z > rng.uniform(0.33, 0.42)) & (np.abs(x - 0.085) > strap) & (x > 0.03))
        return body
    return body | (d.arm & (d.where.along < sleeve))


def _top(d: _Dresser, dress: bool, prints: bool) -> Material:
    rng = d.rng
    hem = rng.choice([rng.uniform(-0.04, 0.06), rng.uniform(0.08, 0.22), rng.uniform(-0.22, -0.05)], p=[0.7, 0.1, 0.2])
    hem = min(hem, -0.02) if dress else hem
    sleeve = rng.choice([0.0, rng.uniform(0.25, 0.7), rng.uniform(0.8, 1.5), rng.uniform(1.75, 2.2)],
                        p=[0.15, 0.4, 0.1, 0.35])  # fmt: skip
    neckline = str(rng.choice(["crew", "round", "vee", "low", "high"], p=[0.35, 0.25, 0.15, 0.1, 0.15]))
    fit = rng.choice([0.003, rng.uniform(0.006, 0.014), rng.uniform(0.014, 0.04)], p=[0.3, 0.4, 0.3])
    covered = _top_area(d, hem, sleeve, neckline)
    hang = 1 + rng.uniform(0, 1.2) * np.clip((0.35 - d.z) / 0.4, 0, 1) * d.torso
    material = d.fabric(plain=0.55)
    if prints and rng.random() < 0.22 and not dress:
        half = rng.uniform(0.05, 0.12)
        material.decal = Decal(rng.normal(0, 0.02), rng.uniform(0.22, 0.33), half, half * rng.uniform(0.4, 1.3))
    d.wear(covered, material, d.cloth_thickness(fit, 0.2) * hang)
    if rng.random() < 0.15 and sleeve > 0.2:  # sleeves of another colour
        d.wear(d.arm & (d.where.along < sleeve), d.fabric(), d.outfit.thickness)
    return material


def _outerwear(d: _Dresser) -> None:
    rng = d.rng
    sleeve = rng.choice([0.0, 2.1], p=[0.2, 0.8])
    hem = rng.choice([rng.uniform(-0.05, 0.08), rng.uniform(-0.3, -0.1)])
    covered = _top_area(d, hem, sleeve, str(rng.choice(["crew", "vee", "high"]))) if sleeve else (
        d.torso & (d.z > hem) & (d.z < 0.5) & (np.abs(d.x) < 0.16))  # fmt: skip
    if rng.random() < 0.7:  # worn open: the inner garment shows in the middle
        width = rng.uniform(0.015, 0.08) + rng.uniform(0, 0.08) * np.clip(0.45 - d.z, 0, 1)
        covered &= ~(d.front & (np.abs(d.x + rng.normal(0, 0.015)) < width) & ~d.arm)
    fit = rng.uniform(0.008, 0.045)
    thickness = d.cloth_thickness(fit, 0.12 if rng.random() < 0.3 else 0.25)
    d.wear(covered, d.fabric(plain=0.75), thickness)
    if rng.random() < 0.15:  # scarf or fur collar
        d.wear((d.neck | (d.torso & (d.z > 0.44))) & ~d.head, d.fabric(), rng.uniform(0.02, 0.05))


def _shoes(d: _Dresser) -> None:
    rng = d.rng
    if rng.random() < 0.1:
        return
    if rng.random() < 0.3:  # socks or tights
        d.wear(d.foot | (d.leg & (d.where.along > rng.choice([1.7, 1.2, 0.0], p=[0.7, 0.15, 0.15]))
                         & (d.outfit.thickness < 0.002)), d.fabric(plain=0.9, fold=0.0), 0.001)  # fmt: skip
    top = rng.choice([-0.80, -0.77, -0.74])
    covered = d.foot & (d.z < top)
    if rng.random() < 0.15:  # boots
        covered = d.foot | (d.leg & (d.where.along > rng.uniform(1.15, 1.8)))
    material = d.fabric(plain=0.9, fold=0.1)
    d.wear(covered, material, rng.uniform(0.005, 0.014))
    if rng.random() < 0.5:  # sole
        d.wear(d.foot & (d.z < -0.845), d.fabric(plain=1.0, fold=0.0), d.outfit.thickness)


def _hair_and_hat(d: _Dresser, hair: bool, hats: bool) -> None:
    rng, z, y, x = d.rng, d.z, d.where.rest[:, 1], np.abs(d.x)
    # Above the hair line: high at the forehead, down to the nape behind the ears.
    line = np.interp(y, [-0.13, -0.08, -0.04, 0.0, 0.05], [0.705, 0.70, 0.665, 0.62, 0.555])
    scalp = d.head & (z > line + rng.normal(0, 0.006)) & ~((x > 0.066) & (z < 0.66) & (y < 0.0))
    colour = np.clip(HAIR_COLOURS[rng.integers(len(HAIR_COLOURS))] + rng.normal(0, 0.02, 3), 0.02, 1)
    material = Material(colour, texture="hair", scale=5.0, specular=0.12, fold=0.5)
    if hair and rng.random() > 0.07:
        length = str(rng.choice(["short", "medium", "long", "bun"], p=[0.42, 0.13, 0.36, 0.09]))
        puff = {"short": rng.uniform(0.003, 0.03), "medium": rng.uniform(0.015, 0.05), "long": rng.uniform(0.008, 0.03),
                "bun": 0.006}[length]  # fmt: skip
        if rng.random() < 0.06:
            puff += rng.uniform(0.02, 0.07)
        rise = np.clip((z - line) / 0.05, 0.15, 1)
        thickness = puff * rise * (1 + 0.3 * _waves(rng, d.where, 0.06))
        index = d.wear(scalp, material, thickness)
        if length != "short":
            d.outfit.hair = HairStyle(kind=length, material=index, puff=puff)
    if hats and rng.random() < 0.1:
        hat_line = rng.uniform(0.675, 0.70) if rng.random() < 0.75 else line - 0.01
        index = d.wear(d.head & (z > hat_line), d.fabric(plain=0.8, fold=0.2), rng.uniform(0.012, 0.045))
        if rng.random() < 0.65:
            d.outfit.brim = BrimStyle(material=index, front_only=rng.random() < 0.6, width=rng.uniform(0.04, 0.11))


def sample_outfit(
    where: BodyCoordinates,
    triangles: np.ndarray,
    rng: np.random.Generator,
    enabled_ingredients: Ingredients,
    without: Collection[str] = (),
) -> Outfit:
    """Draw a random outfit for the body with triangles (T, 3).

    without: what the wardrobe provides instead: "trousers", "skirt", "top", "outerwear", "shoes", "hair", "hat",
    "beard" or "face" (its colours). With "face" the skin is a photographed one, and the person is never naked.
    """
    d = _Dresser(where, triangles, rng, enabled_ingredients.textures)
    if "face" in without:
        d.outfit.colour = _paint_over_texture(d, beard="beard" not in without)
    else:
        d.outfit.colour = _paint_skin(d, enabled_ingredients.skin_tones)
    if enabled_ingredients.garments:
        loose = enabled_ingredients.loose_garments
        skirts = loose and enabled_ingredients.skirts and "skirt" not in without
        dress = skirts and "top" not in without and rng.random() < 0.12
        skirt = dress or (skirts and rng.random() < 0.12)
        if "trousers" not in without and (not skirt or rng.random() < 0.3):
            _trousers(d) if rng.random() < 0.97 or "face" in without else None
        if "top" not in without and (rng.random() < 0.97 or dress or "face" in without):
            material = _top(d, dress, enabled_ingredients.prints)
        if skirt:
            skirt_material = material if dress else d.fabric(plain=0.5)
            d.outfit.materials.append(skirt_material)
            d.outfit.skirt = SkirtStyle(
                material=len(d.outfit.materials) - 1,
                length=rng.choice([rng.uniform(0.35, 0.95), rng.uniform(0.95, 1.95)], p=[0.6, 0.4]),
                flare=rng.choice([rng.uniform(0.0, 0.03), rng.uniform(0.03, 0.2)]),
                waist=rng.uniform(0.05, 0.13),
                folds=int(rng.integers(5, 16)),
                fold_depth=rng.uniform(0, 0.025),
            )
        if "outerwear" not in without and rng.random() < 0.3:
            _outerwear(d)
        if not loose:
            d.outfit.thickness = np.minimum(d.outfit.thickness, 0.006)
    if enabled_ingredients.shoes and "shoes" not in without:
        _shoes(d)
    if enabled_ingredients.garments and rng.random() < 0.05:
        d.wear(d.hand, d.fabric(plain=0.9), 0.006)
    _hair_and_hat(
        d, enabled_ingredients.hair and "hair" not in without, enabled_ingredients.hats and "hat" not in without
    )
    return d.finished()
