"""Fabric patterns: each is a function of `rng` that returns a seamlessly tiling (256, 256, 3) float32 array."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

from opendensepose.synth.kinds import Kind
from opendensepose.synth.textures.noise import fbm_2d

__all__ = ["FABRICS", "TEXTURE_SIZE", "fabric_colour"]

TEXTURE_SIZE = 256
N = TEXTURE_SIZE
GRID_Y, GRID_X = np.mgrid[0:N, 0:N].astype(np.float32) / N

PALETTE = {  # common clothes colours, sRGB: (weight, colour)
    "black": (16, (0.05, 0.05, 0.06)),
    "charcoal": (7, (0.18, 0.18, 0.20)),
    "grey": (8, (0.48, 0.48, 0.49)),
    "light grey": (6, (0.75, 0.75, 0.76)),
    "white": (15, (0.95, 0.95, 0.94)),
    "navy": (9, (0.09, 0.12, 0.25)),
    "denim": (8, (0.27, 0.37, 0.52)),
    "light blue": (5, (0.60, 0.72, 0.86)),
    "royal blue": (4, (0.12, 0.25, 0.62)),
    "beige": (6, (0.80, 0.72, 0.60)),
    "khaki": (4, (0.52, 0.48, 0.34)),
    "brown": (5, (0.32, 0.21, 0.14)),
    "olive": (3, (0.30, 0.32, 0.18)),
    "green": (3, (0.12, 0.42, 0.25)),
    "red": (5, (0.72, 0.10, 0.12)),
    "wine": (3, (0.38, 0.08, 0.14)),
    "pink": (4, (0.92, 0.66, 0.72)),
    "orange": (2, (0.92, 0.45, 0.12)),
    "yellow": (2, (0.95, 0.82, 0.25)),
    "purple": (2, (0.38, 0.20, 0.48)),
    "teal": (2, (0.08, 0.45, 0.48)),
    "skin": (2, (0.85, 0.64, 0.52)),
}
PALETTE_COLOURS = np.array([colour for _, colour in PALETTE.values()], np.float32)
PALETTE_WEIGHTS = np.array([weight for weight, _ in PALETTE.values()], float)
PALETTE_WEIGHTS /= PALETTE_WEIGHTS.sum()


def fabric_colour(rng: np.random.Generator) -> np.ndarray:
    """Draw a clothes colour (3,) float32: mostly from the palette, jittered; 7 % any colour."""
    if rng.random() < 0.07:
        return rng.random(3).astype(np.float32)
    colour = PALETTE_COLOURS[rng.choice(len(PALETTE_COLOURS), p=PALETTE_WEIGHTS)]
    return np.clip(colour * rng.uniform(0.85, 1.12) + rng.normal(0, 0.025, 3), 0, 1).astype(np.float32)


def colours_apart(rng: np.random.Generator, count: int, distance: float = 0.25) -> list[np.ndarray]:
    """`count` clothes colours, neighbours at least about `distance` apart."""
    colours = [fabric_colour(rng)]
    while len(colours) < count:
        tries = [fabric_colour(rng) for _ in range(4)]
        colours.append(next((c for c in tries if np.abs(c - colours[-1]).max() > distance), tries[-1]))
    return colours


def fbm(rng: np.random.Generator, octaves: int = 4, cells: float = 4, **options: Any) -> np.ndarray:
    """(256, 256) tiling fractal noise in [0, 1]."""
    return fbm_2d(rng, (N, N), octaves, True, cells=cells, **options).numpy()


def blend(mask: np.ndarray, colour_0: np.ndarray, colour_1: np.ndarray) -> np.ndarray:
    """Colour 0 where the mask is 0, colour 1 where it is 1: (256, 256, 3)."""
    return colour_0 + mask[..., None] * (colour_1 - colour_0)


def wrapped(image: np.ndarray, kernel: Callable[[np.ndarray], np.ndarray], pad: int = 16) -> np.ndarray:
    """Convolve a tiling picture with `kernel`, a function of the padded picture."""
    widths = ((pad, pad), (pad, pad)) + ((0, 0),) * (image.ndim - 2)
    return kernel(np.pad(image, widths, mode="wrap"))[pad:-pad, pad:-pad]


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur that keeps the tiling."""
    return wrapped(image, lambda x: cv2.GaussianBlur(x, (0, 0), sigma))


def woven(rng: np.random.Generator, fabric: np.ndarray, depth: float = 0.10) -> np.ndarray:
    """Weave and wear: thread grain, unevenness, faint large stains of light."""
    threads = int(rng.choice([64, 128]))
    weave = (np.sin(2 * np.pi * threads * GRID_X) * np.sin(2 * np.pi * threads * GRID_Y)) * 0.5
    grain = fbm(rng, 1, 100) - 0.5
    wear = fbm(rng, 3, 3) - 0.5
    factor = 1 + depth * (0.4 * weave + 0.5 * grain + rng.uniform(0.2, 1.2) * wear)
    return fabric * factor[..., None]


def warped(rng: np.random.Generator, fabric: np.ndarray, amount: float) -> np.ndarray:
    """Shift pixels along smooth noise: hand-drawn instead of ruled."""
    y, x = np.mgrid[0:N, 0:N].astype(np.float32)
    shift = [(fbm(rng, 2, 4) - 0.5) * amount * N for _ in range(2)]
    return cv2.remap(fabric, x + shift[0], y + shift[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def stamped(rng: np.random.Generator, fabric: np.ndarray, draw: Callable, count: int) -> np.ndarray:
    """Call `draw(canvas, x, y)` at `count` random places, repeated over the edges; `fabric` float32."""
    canvas = np.pad(fabric, ((N // 4,) * 2, (N // 4,) * 2, (0, 0)), mode="wrap").copy()
    for _ in range(count):
        seed = int(rng.integers(1 << 31))
        x, y = rng.integers(0, N, 2)
        for dy in (-N, 0, N):
            for dx in (-N, 0, N):
                px, py = int(x + dx + N // 4), int(y + dy + N // 4)
                if -40 < px < N * 1.5 + 40 and -40 < py < N * 1.5 + 40:
                    draw(np.random.default_rng(seed), canvas, px, py)
    return canvas[N // 4 : N // 4 + N, N // 4 : N // 4 + N]


def plain(rng: np.random.Generator) -> np.ndarray:
    """One colour."""
    return woven(rng, np.broadcast_to(fabric_colour(rng), (N, N, 3)), rng.uniform(0.03, 0.25))


def stripe_profile(
    rng: np.random.Generator, coordinate: np.ndarray, colours: Sequence[np.ndarray], repeats: int
) -> np.ndarray:
    """Bands of random widths along `coordinate` (period 1), repeated."""
    edges = np.cumsum(rng.dirichlet(np.full(len(colours), 1.5)))
    phase = (coordinate * repeats) % 1
    return np.stack(colours)[np.searchsorted(edges[:-1], phase)]


def stripes(rng: np.random.Generator) -> np.ndarray:
    """Stripes: across, along or diagonal; two to five colours."""
    repeats = int(rng.integers(2, 25))
    coordinate = [GRID_X, GRID_Y, GRID_Y, GRID_X + GRID_Y, GRID_X - GRID_Y][rng.integers(5)]
    colours = colours_apart(rng, 2 if repeats > 8 else int(rng.integers(2, 6)))
    return woven(rng, blurred(stripe_profile(rng, coordinate, colours, repeats).astype(np.float32), 0.6))


def pinstripe(rng: np.random.Generator) -> np.ndarray:
    """Thin lines on a plain ground, as on suits and shirts."""
    repeats = int(rng.integers(8, 33))
    mask = ((GRID_X * repeats) % 1 < rng.uniform(0.08, 0.2)).astype(np.float32)
    return woven(rng, blurred(blend(mask * rng.uniform(0.3, 1), *colours_apart(rng, 2)), 0.5))


def plaid(rng: np.random.Generator) -> np.ndarray:
    """Tartan: the same bands in both directions, mixed."""
    repeats = int(rng.integers(2, 9))
    colours = colours_apart(rng, int(rng.integers(2, 5)))
    state = int(rng.integers(1 << 31))
    across = stripe_profile(np.random.default_rng(state), GRID_X, colours, repeats)
    along = stripe_profile(np.random.default_rng(state), GRID_Y, colours, repeats)
    twill = (((GRID_X + GRID_Y) * 64) % 1 < 0.5)[..., None] * 0.3 + 0.35
    return woven(rng, blurred((across * twill + along * (1 - twill)).astype(np.float32), 0.6))


def checks(rng: np.random.Generator) -> np.ndarray:
    """Chequers or gingham."""
    repeats = int(rng.integers(2, 25))
    a, b = ((GRID_X * repeats) % 1 < 0.5), ((GRID_Y * repeats) % 1 < 0.5)
    mask = (a ^ b) if rng.random() < 0.4 else (a * 0.5 + b * 0.5)
    return woven(rng, blurred(blend(mask.astype(np.float32), *colours_apart(rng, 2)), 0.6))


def dots(rng: np.random.Generator) -> np.ndarray:
    """Polka dots, aligned or staggered."""
    repeats = 2 * int(rng.integers(1, 11))
    x, y = GRID_X * repeats, GRID_Y * repeats
    x = x + 0.5 * (np.floor(y) % 2) if rng.random() < 0.6 else x
    radius = rng.uniform(0.15, 0.42)
    distance = np.hypot(x % 1 - 0.5, y % 1 - 0.5)
    mask = np.clip((radius - distance) * N / repeats + 0.5, 0, 1).astype(np.float32)
    return woven(rng, blend(mask, *colours_apart(rng, 2)))


def zigzag(rng: np.random.Generator) -> np.ndarray:
    """Chevrons, herringbone when fine."""
    repeats, waves = int(rng.integers(2, 17)), int(rng.integers(2, 17))
    tooth = np.abs((GRID_X * waves) % 1 - 0.5) * rng.uniform(0.5, 2.5)
    colours = colours_apart(rng, int(rng.integers(2, 4)))
    return woven(rng, blurred(stripe_profile(rng, GRID_Y + tooth / repeats, colours, repeats).astype(np.float32), 0.6))


def floral(rng: np.random.Generator) -> np.ndarray:
    """Flowers and leaves strewn over a ground."""
    scale = rng.uniform(5, 22)
    ground, *petals = [tuple(float(x) for x in c) for c in colours_apart(rng, 5)]

    def flower(draw_rng: np.random.Generator, canvas: np.ndarray, x: float, y: float) -> None:
        size, turn = scale * draw_rng.uniform(0.5, 1.2), draw_rng.uniform(0, 360)
        num_petals, colour = int(draw_rng.integers(1, 8)), petals[draw_rng.integers(3)]
        for petal in range(num_petals):
            angle = turn + petal * 360 / num_petals
            centre = (x + size * 0.6 * np.cos(np.radians(angle)), y + size * 0.6 * np.sin(np.radians(angle)))
            box = (centre, (size * 1.1, size * draw_rng.uniform(0.4, 0.8)), angle)
            cv2.ellipse(canvas, box, colour, -1, cv2.LINE_AA)
        if num_petals > 2:
            cv2.circle(canvas, (x, y), max(1, int(size * 0.25)), petals[3], -1, cv2.LINE_AA)

    fabric = np.broadcast_to(np.array(ground, np.float32), (N, N, 3))
    return woven(rng, stamped(rng, fabric, flower, int(rng.uniform(6000, 14000) / scale**2) + 3))


def camouflage(rng: np.random.Generator) -> np.ndarray:
    """Patches of three or four muted colours."""
    hues = [fabric_colour(rng) for _ in range(4)]
    if rng.random() < 0.7:
        hues = list(
            np.array([(0.35, 0.36, 0.22), (0.20, 0.22, 0.13), (0.55, 0.5, 0.36), (0.12, 0.11, 0.1)], np.float32)
        )
    fabric, cells = np.broadcast_to(hues[0], (N, N, 3)), rng.uniform(3, 9)
    for hue in hues[1:]:
        mask = np.clip((fbm(rng, 3, cells) - rng.uniform(0.5, 0.65)) * 40, 0, 1)
        fabric = blend(mask, fabric, hue)
    return woven(rng, fabric.astype(np.float32))


def denim(rng: np.random.Generator) -> np.ndarray:
    """Blue to black twill with fading."""
    base = np.array([(0.20, 0.28, 0.42), (0.32, 0.42, 0.56), (0.12, 0.15, 0.24), (0.10, 0.10, 0.11)], np.float32)[
        rng.integers(4)
    ]
    fade = fbm(rng, 4, 3)
    twill = np.sin(2 * np.pi * 80 * (GRID_X + GRID_Y)) * 0.06
    slub = fbm(rng, 2, 60, stretch_yx=(0.15, 1.0)) - 0.5
    factor = rng.uniform(0.8, 1.3) * (1 + twill + 0.25 * slub) + rng.uniform(0.1, 0.9) * (fade - 0.4)
    return np.clip(base * factor[..., None], 0, 1)


def knit(rng: np.random.Generator) -> np.ndarray:
    """Rows of stitches, with cables now and then."""
    columns, rows = int(rng.integers(10, 41)), int(rng.integers(10, 41))
    x = (GRID_X * columns) % 1 - 0.5
    stitch = np.cos(2 * np.pi * ((GRID_Y * rows) + np.abs(x) * 0.9)) * (1 - np.abs(x))
    relief = 0.75 + 0.25 * stitch
    if rng.random() < 0.4:
        waves, ropes = int(rng.integers(2, 7)), int(rng.integers(2, 6))
        sway = 0.15 * np.sin(2 * np.pi * GRID_Y * waves)
        relief = relief * (0.7 + 0.3 * np.abs(np.sin(np.pi * (GRID_X + sway / ropes) * ropes * 2)))
    fabric = fabric_colour(rng) * relief[..., None]
    if rng.random() < 0.35:
        band = stripe_profile(rng, GRID_Y, colours_apart(rng, 3), int(rng.integers(1, 5)))
        fabric = band * relief[..., None]
    return woven(rng, fabric.astype(np.float32), 0.2)


def leopard(rng: np.random.Generator) -> np.ndarray:
    """Rings of dark spots on tan (or any two colours), or zebra stripes."""
    ground, dark = np.array([0.78, 0.60, 0.38], np.float32), np.array([0.12, 0.08, 0.06], np.float32)
    if rng.random() < 0.4:
        ground, dark = colours_apart(rng, 2, 0.4)
    zebra = rng.random() < 0.35
    field = fbm(rng, 1, rng.uniform(6, 20), stretch_yx=(1.0, 0.25 if zebra else 1.0))
    ring = np.abs(field - 0.62) < rng.uniform(0.05, 0.12)
    mask = blurred((field > 0.5).astype(np.float32) if zebra else ring.astype(np.float32), 0.8)
    return woven(rng, blend(mask, ground * (0.9 + 0.2 * fbm(rng, 2, 3)[..., None]), dark).astype(np.float32))


def tie_dye(rng: np.random.Generator) -> np.ndarray:
    """Soft clouds of several colours."""
    fabric = np.broadcast_to(fabric_colour(rng), (N, N, 3))
    for colour in colours_apart(rng, int(rng.integers(1, 5))):
        mask = np.clip((fbm(rng, 4, rng.uniform(1.5, 5), gain=0.6) - 0.5) * rng.uniform(2, 8) + 0.5, 0, 1)
        fabric = blend(mask, fabric, colour)
    return woven(rng, warped(rng, fabric.astype(np.float32), 0.15))


def abstract_print(rng: np.random.Generator) -> np.ndarray:
    """Overlapping shapes in strong colours."""
    colours = [tuple(float(x) for x in c) for c in colours_apart(rng, 5)]
    scale = rng.uniform(8, 40)

    def shape(draw_rng: np.random.Generator, canvas: np.ndarray, x: float, y: float) -> None:
        size, colour = scale * draw_rng.uniform(0.4, 1.0), colours[1 + draw_rng.integers(4)]
        if draw_rng.random() < 0.4:
            box = ((x, y), (size, size * draw_rng.uniform(0.2, 1)), draw_rng.uniform(0, 180))
            cv2.ellipse(canvas, box, colour, -1, cv2.LINE_AA)
        else:
            corners = np.array([x, y]) + draw_rng.uniform(-size, size, (int(draw_rng.integers(3, 6)), 2))
            cv2.fillPoly(canvas, [corners.astype(np.int32)], colour, cv2.LINE_AA)

    fabric = np.broadcast_to(np.array(colours[0], np.float32), (N, N, 3))
    return woven(rng, stamped(rng, fabric, shape, int(rng.integers(10, 60))))


def sequins(rng: np.random.Generator) -> np.ndarray:
    """Glittering discs or a metallic sheen."""
    repeats = 2 * int(rng.integers(12, 33))
    glitter = rng.random((repeats, repeats)).astype(np.float32)[
        (GRID_Y * repeats).astype(int) % repeats, (GRID_X * repeats).astype(int) % repeats
    ]
    disc = np.hypot((GRID_X * repeats) % 1 - 0.5, (GRID_Y * repeats) % 1 - 0.5) < 0.48
    factor = disc * (0.3 + 0.7 * glitter + 1.5 * glitter**8) + 0.2
    return np.clip(fabric_colour(rng) * factor[..., None], 0, 1)


def leather(rng: np.random.Generator) -> np.ndarray:
    """Fine grain with creases and highlights."""
    colour = PALETTE_COLOURS[[0, 0, 1, 11, 15, 9][rng.integers(6)]] * rng.uniform(0.7, 1.2)
    grain, crease = fbm(rng, 2, 50), np.abs(fbm(rng, 3, 6) - 0.5)
    shine = np.clip(fbm(rng, 3, 3) - 0.6, 0, 1) * rng.uniform(0.2, 1.2)
    factor = 0.75 + 0.4 * grain - 0.5 * np.clip(0.06 - crease, 0, 1) * 10
    return np.clip(colour * factor[..., None] + shine[..., None] * (0.3 + 0.5 * grain[..., None]), 0, 1)


def lace(rng: np.random.Generator) -> np.ndarray:
    """Open work: a net of threads over a darker or skin-like ground."""
    repeats = 2 * int(rng.integers(4, 13))
    x, y = GRID_X * repeats, GRID_Y * repeats
    net = np.minimum(np.abs(np.sin(np.pi * (x + y))), np.abs(np.sin(np.pi * (x - y))))
    flower = np.abs(np.hypot(x % 2 - 1, y % 2 - 1) - 0.6 - 0.15 * np.cos(6 * np.arctan2(y % 2 - 1, x % 2 - 1)))
    mask = np.clip((0.35 - np.minimum(net, flower * 1.5)) * 6, 0, 1).astype(np.float32)
    ground = PALETTE_COLOURS[-1] * rng.uniform(0.5, 1.1) if rng.random() < 0.5 else fabric_colour(rng)
    return woven(rng, blend(mask, ground, fabric_colour(rng)).astype(np.float32))


FABRICS = {
    "plain": Kind(40, plain),
    "stripes": Kind(9, stripes),
    "pinstripe": Kind(4, pinstripe),
    "plaid": Kind(6, plaid),
    "checks": Kind(4, checks),
    "dots": Kind(4, dots),
    "zigzag": Kind(3, zigzag),
    "floral": Kind(6, floral),
    "camouflage": Kind(3, camouflage),
    "denim": Kind(8, denim),
    "knit": Kind(6, knit),
    "leopard": Kind(2, leopard),
    "tie_dye": Kind(3, tie_dye),
    "abstract_print": Kind(4, abstract_print),
    "sequins": Kind(1, sequins),
    "leather": Kind(3, leather),
    "lace": Kind(2, lace),
}
