"""The garments that a person wears: pieces of the wardrobe that go together, their colours, fabrics, hems and sleeves.

Skirts that swing, coats and most hats are procedural (outfit.py, drape.py); one person may wear both kinds.
"""

import functools
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from opendensepose.synth.body.body import BodyCoordinates
from opendensepose.synth.clothes.outfit import DENIM, HAIR_COLOURS, random_colour
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.textures.material_table import Decal, Material, UvTexture
from opendensepose.synth.wardrobe.cut import Cut, cut
from opendensepose.synth.wardrobe.wardrobe import Piece, Wardrobe

__all__ = ["PUSHED_IN_M", "SKIN_SIDE_M", "Person", "ChosenGarments", "Worn", "choose_garments"]

SKIN_SIDE_M = 1.9  # metres of skin along its texture's side
PUSHED_IN_M = -0.012  # skin and cloth under other cloth, so that they never show through it
_PRINTED = ("male_casualsuit02", "male_casualsuit04", "female_casualsuit01", "female_casualsuit02")  # plain shirts
_BROWN_EYES = (2, 3)  # of the textures of the eyes
_STEP = 0.05  # cut pieces are cached: limits along limbs are rounded to multiples of it, hems to a fifth of it


@dataclass(frozen=True)
class Person:
    """What decides which garments suit somebody."""

    gender: float  # Anny's, 0 male, 1 female
    age: float  # Anny's
    origin: tuple[float, float, float]  # shares of african, asian, caucasian
    upright: bool  # trunk and legs are upright enough for stiff hair and skirts


@dataclass
class Worn:
    """A piece as it is worn."""

    piece: Piece
    material: Material
    shape: Cut  # what is left of it
    thickness: np.ndarray  # (V,) metres outwards, below 0 under other cloth


@dataclass
class ChosenGarments:
    """Everything that one person wears of the wardrobe."""

    hides: np.ndarray  # (B,) bool, body vertices under it
    worn: list[Worn] = field(default_factory=list)
    without: set[str] = field(
        default_factory=set
    )  # procedural garments that it replaces, as sample_outfit() names them
    skin: Material | None = None  # material of the body, None for the painted one


class _Look(NamedTuple):
    """How a piece looks."""

    material: Material
    recoloured: bool  # the material recolours the piece's texture; else it only tints the texture's own colours


def choose_garments(
    rng: np.random.Generator,
    wardrobe: Wardrobe,
    where: BodyCoordinates,
    person: Person,
    enabled_ingredients: Ingredients,
) -> ChosenGarments:
    """Choose what a person wears of the wardrobe: often one or two pieces, sometimes none."""
    chosen = ChosenGarments(np.zeros(len(where.rest), bool))
    chooser = _Chooser(rng, wardrobe, where, person, enabled_ingredients, chosen)
    if not chooser.female and rng.random() < 0.9:
        chosen.without.add("skirt")
    if enabled_ingredients.garments and rng.random() < 0.65:
        chooser.clothes()
    if enabled_ingredients.shoes and rng.random() < 0.65:
        chooser.footwear()
    if rng.random() < 0.8:
        chooser.face()
    return chosen


class _Chooser:
    """ChosenGarments under construction."""

    def __init__(
        self,
        rng: np.random.Generator,
        wardrobe: Wardrobe,
        where: BodyCoordinates,
        person: Person,
        enabled_ingredients: Ingredients,
        chosen: ChosenGarments,
    ):
        self.rng, self.wardrobe, self.where, self.person, self.enabled_ingredients, self.chosen = (
            rng,
            wardrobe,
            where,
            person,
            enabled_ingredients,
            chosen,
        )
        self.female = rng.random() < np.clip(person.gender, 0.04, 0.96)
        self.long_trousers = False

    # --- clothes ----------------------------------------------------------------------------------------------------

    def clothes(self) -> None:
        """Put on a top and a bottom, one of them, or shirt and jeans in one piece."""
        rng = self.rng
        if not self.female and rng.random() < 0.06:
            self._put(self._one("whole"), self._as_made(0.1))
            self.chosen.without |= {"trousers", "skirt", "top", "outerwear"}
            self.long_trousers = True
            return
        draw = rng.random()  # a top alone, both, a bottom alone
        hem = self._top(cropped=draw > 0.12) if draw < 0.85 else None
        if draw > 0.12:
            self._bottom(hem)
        elif not self.person.upright:  # on a bent body a procedural skirt would leave skin bare under this top
            self.chosen.without.add("skirt")

    def _top(self, cropped: bool) -> float:
        """Put on a top, sometimes a cropped one; return the height of its hem on the neutral body, metres."""
        rng, piece = self.rng, self._one("top", "female" if self.female else "male", loosely=0.25)
        sleeve, hem = np.inf, -np.inf
        long_sleeved = piece.sleeve.max() > 1.6
        if long_sleeved and rng.random() < (0.06 if "elegant" in piece.item else 0.4):
            sleeve = rng.uniform(0.3, 0.85) if rng.random() < 0.7 else rng.uniform(1.05, 1.6)
        elif rng.random() < 0.12:
            sleeve = rng.uniform(0.12, 0.3)
        lowest = float(np.percentile(piece.rest[piece.sleeve < 0, 2], 1))
        if cropped and lowest < 0.1 and rng.random() < (0.14 if self.female else 0.04):
            hem = rng.uniform(lowest, 0.2)
        thickness = np.where(piece.rest[:, 2] < 0.18, 0.003, 0.0)
        material = self._cloth()
        if self.enabled_ingredients.prints and piece.item in _PRINTED and rng.random() < 0.2:
            half = rng.uniform(0.05, 0.11)
            material.decal = Decal(rng.normal(0, 0.02), rng.uniform(0.22, 0.33), half, half * rng.uniform(0.4, 1.3))
        self._put(piece, _Look(material, True), {"sleeve": sleeve, "hem": hem}, thickness)
        for under in (p for p in self.wardrobe.of_kind("under") if p.item == piece.item):
            self._put(under, _Look(self._cloth(), True), {"hem": hem})
        self.chosen.without |= {"top", "outerwear"}
        return max(lowest, hem)

    def _bottom(self, hem: float | None) -> None:
        rng = self.rng
        skirt = self.enabled_ingredients.skirts and self.female and self.person.upright and rng.random() < 0.15
        piece = self._one("skirt" if skirt else "bottom", "female" if self.female else "male", loosely=0.25)
        leg = np.inf
        self.long_trousers = piece.leg.max() > 1.7
        if self.long_trousers and rng.random() < 0.33:
            leg = rng.uniform(0.35, 0.95) if rng.random() < 0.7 else rng.uniform(1.15, 1.7)
            self.long_trousers = False
        inside = np.zeros(len(piece.rest))
        if hem is not None:  # the waist under the top
            inside = PUSHED_IN_M * np.clip((piece.rest[:, 2] - hem - 0.015) / 0.02, 0, 1)
        denim = rng.random() < 0.45 and piece.mean_luminance[0] > 0.3
        look = self._jeans() if denim else _Look(self._cloth(fabrics=0.15), True)
        self._put(piece, look, {"leg": leg}, inside)
        self.chosen.without |= {"trousers", "skirt", "outerwear"}

    def footwear(self) -> None:
        """Put on shoes, with socks where they are visible."""
        rng, piece = self.rng, self._one("shoes")
        material, recoloured = self._as_made(0.25)
        if rng.random() < 0.35:
            material, recoloured = self._cloth(fabrics=0.0), True
            material.colour = 0.6 * material.colour + 0.4 * material.colour.mean()  # leather is seldom bright
        material.specular = float(rng.choice([0.03, 0.25]))
        under = -0.008 * np.clip((piece.rest[:, 2] + 0.80) / 0.02, 0, 1) * self.long_trousers
        self._put(piece, _Look(material, recoloured), thickness=under)
        self.chosen.without |= {"shoes"}
        if not self.long_trousers and rng.random() < 0.6:
            for socks in (p for p in self.wardrobe.of_kind("socks") if p.item == piece.item):
                self._put(socks, _Look(self._cloth(fabrics=0.1), True))

    # --- head -------------------------------------------------------------------------------------------------------

    def face(self) -> None:
        """Put on a photographed skin with eyes, brows, lashes and hair."""
        rng, enabled_ingredients = self.rng, self.enabled_ingredients
        if enabled_ingredients.skin_tones:
            self.chosen.skin = self._skin()
            eyes = self._one("eyes")
            dark = rng.random() < 0.35 + 0.6 * (self.person.origin[0] + self.person.origin[1])
            brown = int(rng.choice(_BROWN_EYES)) if dark else None
            self._put(eyes, _Look(Material(np.ones(3), specular=0.5), False), texture=brown)
            self.chosen.without |= {"face"} | ({"beard"} if self.female or self.person.age < 0.6 else set())
        colour = self._hair_colour()
        if enabled_ingredients.skin_tones:
            self._put(self._one("brows"), _Look(Material(np.clip(colour * 0.8, 0, 0.45)), True))
            if self.female or rng.random() < 0.3:
                self._put(self._one("lashes"), _Look(Material(np.full(3, 0.05)), True))
        if enabled_ingredients.hats and rng.random() < 0.05:
            look = self._as_made(0.1) if rng.random() < 0.5 else _Look(self._cloth(fabrics=0.2), True)
            self._put(self._one("hat"), look)
            self.chosen.without |= {"hair", "hat"}
        elif enabled_ingredients.hair and rng.random() < 0.72:
            self._hair(colour)

    def _hair_colour(self) -> np.ndarray:
        rng = self.rng
        dark = rng.random() < self.person.origin[0] + self.person.origin[1]
        k = rng.integers(3) if dark else rng.integers(len(HAIR_COLOURS))
        if self.person.age > 0.85 and rng.random() < 0.6:
            k = len(HAIR_COLOURS) - 1 - rng.integers(2)  # grey, white
        return np.clip(HAIR_COLOURS[k] + rng.normal(0, 0.02, 3), 0.02, 1)

    def _hair(self, colour: np.ndarray) -> None:
        names = ["short01", "short02", "short03", "short04"]
        if self.female:
            names = ["bob01", "bob02", "ponytail01", "short03"]
            if self.person.upright:
                names += ["Braid01", "long01", "long01"]
        if self.rng.random() < 0.15 + 0.5 * self.person.origin[0]:
            names = ["afro01"]
            colour = np.minimum(colour, 0.2)  # its loose curls show as light speckles on dark skin otherwise
        name = names[self.rng.integers(len(names))]
        piece = next(p for p in self.wardrobe.of_kind("hair") if p.item == name)
        self._put(piece, _Look(Material(colour, specular=0.1), True))
        self.chosen.without |= {"hair", "hat"}

    def _skin(self) -> Material:
        rng, age, gender = self.rng, self.person.age, "female" if self.female else "male"
        stage = "young" if age < 0.72 else "middleage" if age < 0.88 else "old"
        origin = ("african", "asian", "caucasian")[rng.choice(3, p=np.asarray(self.person.origin, np.float64))]
        name = f"{stage}_{origin}_{gender}"
        names = list(self.wardrobe.skins)
        texture = self.wardrobe.skins[name if name in names else names[rng.integers(len(names))]]
        gain = np.clip(rng.normal(1.0, 0.12) + rng.normal(0, 0.025, 3), 0.6, 1.4)
        return Material(gain, texture="skin", specular=0.06, uv=UvTexture(texture, 0.0, SKIN_SIDE_M))

    # --- pieces -----------------------------------------------------------------------------------------------------

    def _one(self, kind: str, made_for: str = "", loosely: float = 0.0) -> Piece:
        """Draw a piece of a kind, made for men or women if there is a choice; loosely: the share of other pieces."""
        pieces = self.wardrobe.of_kind(kind)
        own = [piece for piece in pieces if piece.item.startswith(made_for)]
        if own and self.rng.random() >= loosely:
            pieces = own
        return pieces[self.rng.integers(len(pieces))]

    def _as_made(self, spread: float) -> _Look:
        gain = np.clip(self.rng.normal(1, spread) + self.rng.normal(0, 0.03, 3), 0.5, 1.6)
        return _Look(Material(gain, specular=0.03), False)

    def _jeans(self) -> _Look:
        rng = self.rng
        if rng.random() < 0.5:
            return self._as_made(0.2)
        return _Look(Material(np.clip(DENIM[rng.integers(len(DENIM))] + rng.normal(0, 0.02, 3), 0.02, 1)), True)

    def _cloth(self, fabrics: float = 0.4) -> Material:
        """Draw a colour or procedural fabric that recolours a texture."""
        rng = self.rng
        fabric = self.enabled_ingredients.textures and rng.random() < fabrics
        return Material(
            random_colour(rng),
            texture="fabric" if fabric else "none",
            scale=float(np.exp(rng.uniform(np.log(1.2), np.log(9)))),
            angle=float(rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)], p=[0.6, 0.2, 0.2])),
            specular=float(rng.choice([0.01, 0.04, 0.2], p=[0.6, 0.3, 0.1])),
            fold=0.25 * float(rng.uniform(0, 1)),
        )

    def _put(
        self,
        piece: Piece,
        look: _Look,
        limits: dict[str, float] | None = None,
        thickness: np.ndarray | float = 0.0,
        texture: int | None = None,
    ) -> None:
        """Put on a piece.

        limits: how far along "leg" and "sleeve" it reaches, and the height of its "hem". thickness: (V,) metres.
        texture: which of its textures, None draws one.
        """
        material, recoloured = look
        limits, step = limits or {}, {"leg": _STEP, "sleeve": _STEP, "hem": _STEP / 5}
        k = int(self.rng.integers(len(piece.textures))) if texture is None else min(texture, len(piece.textures) - 1)
        mean = max(piece.mean_luminance[k], 0.02) if recoloured else 0.0
        material.uv = UvTexture(piece.textures[k], mean, piece.metres_per_uv)
        steps = tuple((key, round(v / step[key]) * step[key]) for key, v in limits.items() if np.isfinite(v))
        thickness = np.broadcast_to(thickness, len(piece.rest))
        self.chosen.worn.append(Worn(piece, material, _shortened(piece, steps), thickness))
        self.chosen.hides |= piece.hides & ~_bare(self.where, dict(steps))


@functools.lru_cache(maxsize=256)
def _shortened(piece: Piece, steps: tuple[tuple[str, float], ...]) -> Cut:
    """Cut a piece at the limits that _put() takes."""
    limits = dict(steps)
    beyond = np.full(len(piece.rest), -np.inf, np.float32)
    for name, along in (("leg", piece.leg), ("sleeve", piece.sleeve)):
        if name in limits:
            beyond = np.maximum(beyond, along - limits[name])
    if "hem" in limits:
        beyond = np.maximum(beyond, np.where(piece.sleeve < 0, limits["hem"] - piece.rest[:, 2], -1.0))
    return cut(piece.triangles, piece.corner_uv, beyond)


def _bare(where: BodyCoordinates, limits: dict[str, float]) -> np.ndarray:
    """Select the body vertices that a cut uncovers, and those near its edge: (B,) bool."""
    bare = np.zeros(len(where.rest), bool)
    margin = 0.1
    if "leg" in limits:
        bare |= where.is_in("foot") | (where.is_in("leg") & (where.along > limits["leg"] - margin))
    if "sleeve" in limits:
        bare |= where.is_in("hand") | (where.is_in("arm") & (where.along > limits["sleeve"] - margin))
    if "hem" in limits:
        bare |= ~where.is_in("arm", "hand") & (where.rest[:, 2] < limits["hem"] + 0.015)
    return bare
