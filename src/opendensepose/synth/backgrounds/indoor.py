"""Man-made backgrounds: studio, room, street. Each returns an (H, W, 3) float32 canvas, about [0, 1]."""

import cv2
import numpy as np

from opendensepose.synth.backgrounds.furniture import box_in_perspective, chair, sofa, table
from opendensepose.synth.backgrounds.materials import (
    colour,
    fill_polygon,
    material,
    noise_field,
    photo_crop,
    shadow,
    three,
    warp_quad,
)
from opendensepose.synth.backgrounds.outdoor import sky, tree

__all__ = ["room", "street", "studio"]


def soft_light(rng: np.random.Generator, size_hw: tuple[int, int], amount: float) -> np.ndarray:
    """(H, W, 3) float32 factors about 1: a linear and a radial fall-off of light."""
    height, width = size_hw
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    slope = rng.normal(0, 0.5, 2)
    cx, cy, reach = rng.uniform(-0.8, 0.8), rng.uniform(-0.9, 0.6), rng.uniform(0.7, 2.5)
    glow = np.exp(-((x - cx) ** 2) / reach**2) * np.exp(-((y - cy) ** 2) / reach**2)
    return three(1 + amount * (slope[0] * y + slope[1] * x + glow - 0.6))


def wall_colour(rng: np.random.Generator) -> np.ndarray:
    """A studio wall: near-white, grey, beige, pastel, seldom strong or dark."""
    draw = rng.random()
    if draw < 0.40:
        return (rng.uniform(0.84, 1.0) + rng.normal(0, 0.012, 3)).astype(np.float32)
    if draw < 0.62:
        return (rng.uniform(0.40, 0.84) + rng.normal(0, 0.015, 3)).astype(np.float32)
    if draw < 0.74:
        return (rng.uniform(0.8, 1.1) * np.array([0.84, 0.77, 0.67])).astype(np.float32)
    if draw < 0.86:
        return (0.62 + 0.35 * rng.random(3)).astype(np.float32)
    if draw < 0.92:
        return colour(rng)
    return (rng.uniform(0.02, 0.35) + rng.normal(0, 0.02, 3)).astype(np.float32)


def studio(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """Draw a plain wall with soft light: seamless cove, floor line, soft shadows, hardly any texture."""
    height, width = size_hw
    wall = wall_colour(rng)
    canvas = np.ones((height, width, 3), np.float32) * wall
    floor = rng.random()
    if floor < 0.45:  # a floor, in a line or a cove
        level = int(height * rng.uniform(0.55, 0.95))
        base = wall * rng.uniform(0.75, 1.1) if rng.random() < 0.6 else colour(rng)
        ramp = np.arange(height, dtype=np.float32)[:, None, None] - level
        blend = np.clip(ramp / max(1.0, height * float(rng.choice([0.002, 0.01, 0.1, 0.25]))), 0, 1)
        surface = base if rng.random() < 0.6 else material(rng, size_hw, base, busy=0.4)
        canvas = canvas + blend * (surface - canvas)
        if rng.random() < 0.3:
            skirting = int(height * rng.uniform(0.01, 0.04))
            canvas[level - skirting : level] = np.clip(wall * rng.uniform(0.6, 1.3), 0, 1)
    canvas *= soft_light(rng, size_hw, rng.uniform(0.0, 0.35))
    for _ in range(int(rng.integers(0, 4))):
        centre = rng.uniform(-0.1, 1.1, 2) * (width, height)
        shadow(canvas, centre, rng.uniform(0.08, 0.4, 2) * height, rng.uniform(0.05, 0.4))
    if rng.random() < 0.5:
        cloud = noise_field(rng, size_hw, 4, rng.uniform(1, 4)) - 0.5
        canvas *= three(1 + cloud * rng.uniform(0.02, 0.25))
    if rng.random() < 0.25:  # a seam, an edge of paper, a panel
        x = rng.uniform(0.05, 0.95) * width
        lean = rng.normal(0, 0.02) * width
        side = -10 if rng.random() < 0.5 else width + 10
        corners = [(x, -5), (side, -5), (side, height + 5), (x + lean, height + 5)]
        fill_polygon(canvas, corners, canvas * rng.uniform(0.8, 1.12), rng.uniform(0, 4))
    return canvas


def shelf(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(height, width, 3) shelves full of books and boxes."""
    canvas = np.ones((height, width, 3), np.float32) * colour(rng) * 0.5
    rows = int(rng.integers(2, 6))
    for row in range(rows):
        bottom, x = int((row + 1) * height / rows) - max(2, height // 60), 0
        while x < width:
            book = int(rng.uniform(0.015, 0.06) * max(width, 60)) + 2
            top = bottom - int(height / rows * rng.uniform(0.45, 0.92))
            if rng.random() < 0.9:
                cv2.rectangle(canvas, (x, top), (x + book - 1, bottom), colour(rng).tolist(), -1)
                band = top + int((bottom - top) * rng.uniform(0.1, 0.5))
                cv2.line(canvas, (x, band), (x + book - 1, band), colour(rng).tolist(), 2)
            x += book
        canvas[bottom : bottom + max(2, height // 60)] = colour(rng)
    return canvas


def wall_things(rng: np.random.Generator, canvas: np.ndarray, floor_y: float) -> None:
    """Doors, windows, pictures, shelves and curtains on the wall above the line `floor_y`."""
    height, width = canvas.shape[:2]
    for _ in range(int(rng.integers(2, 10))):
        w, h = rng.uniform(0.08, 0.3) * width, rng.uniform(0.1, 0.55) * height
        x, y = rng.uniform(-0.1, 0.95) * width, rng.uniform(0, 0.6) * floor_y
        kind = rng.integers(5)
        if kind == 0:  # door
            y, h = floor_y * rng.uniform(0.1, 0.4), None
            h = floor_y - y
        if kind == 4:  # curtain
            y, h = 0, floor_y * rng.uniform(0.6, 1.05)
        w, h = int(max(w, 6)), int(max(h, 6))
        frame = max(1, int(0.04 * min(w, h)))
        box = [(x - frame, y - frame), (x + w + frame, y - frame), (x + w + frame, y + h + frame), (x - frame, y + h)]
        fill_polygon(canvas, box, colour(rng))
        if kind == 1:  # window: the world outside, with bars
            inside = np.clip(photo_crop(rng, (h, w)) * rng.uniform(0.8, 1.8) + rng.uniform(0, 0.4), 0, 1.2)
            inside[:, w // 2 - frame : w // 2 + frame] = colour(rng, 0.8)
        elif kind == 2:
            inside = shelf(rng, h, w)
        elif kind == 3:
            inside = photo_crop(rng, (h, w)) if rng.random() < 0.6 else material(rng, (h, w), busy=1.0)
        elif kind == 4:
            folds = 0.75 + 0.25 * np.sin(np.linspace(0, rng.uniform(10, 60), w) + rng.uniform(0, 6))
            inside = material(rng, (h, w), busy=0.5) * folds[None, :, None].astype(np.float32)
        else:
            inside = material(rng, (h, w), busy=0.3)
        warp_quad(canvas, inside, [(x, y), (x + w, y), (x + w, y + h), (x, y + h)])


def room(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """Draw a room: a wall, a floor in perspective, often a side wall; doors, windows, pictures, shelves, furniture."""
    height, width = size_hw
    floor_y = int(height * rng.uniform(0.5, 0.95))
    canvas = material(rng, size_hw, colour(rng, rng.uniform(0.3, 0.85)), busy=rng.uniform(0, 0.5))
    floor = material(rng, (200, 400), busy=rng.uniform(0.2, 1))
    floor = np.tile(floor, (2, 2, 1))
    spread, shift = rng.uniform(0.5, 1.5) * width, rng.uniform(-0.3, 0.3) * width
    near = [(width + spread + shift, height), (-spread + shift, height)]
    warp_quad(canvas, floor, [(-20, floor_y), (width + 20, floor_y), *near])
    wall_things(rng, canvas, floor_y)
    if rng.random() < 0.5:  # a side wall
        x, left = rng.uniform(0.1, 0.35) * width, rng.random() < 0.5
        corners = np.array([(0, -0.3 * height), (x, 0.02 * height), (x, floor_y), (0, height * 1.2)])
        corners[:, 0] = corners[:, 0] if left else width - corners[:, 0]
        warp_quad(canvas, material(rng, (200, 100), busy=0.4) * rng.uniform(0.5, 1.1), corners)
    for _ in range(int(rng.integers(1, 7))):
        w, h = rng.uniform(0.08, 0.4) * width, rng.uniform(0.1, 0.45) * height
        x, bottom = rng.uniform(-0.1, 0.9) * width, rng.uniform(floor_y, height * 1.1)
        kind = rng.random()
        if kind < 0.4:
            box_in_perspective(rng, canvas, x, bottom, w, h)
        elif kind < 0.6:
            table(rng, canvas, x, bottom, w, h)
        elif kind < 0.75:
            chair(rng, canvas, x, bottom, h * rng.uniform(0.8, 1.5))
        elif kind < 0.87:
            sofa(rng, canvas, x, bottom, w * 1.3, h)
        else:
            tree(rng, canvas, x, bottom, h * rng.uniform(0.8, 1.8))
    return canvas * soft_light(rng, size_hw, rng.uniform(0.1, 0.6))


def facade(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(height, width, 3) a house front: wall, a grid of windows, a shop at street level."""
    canvas = material(rng, (height, width), busy=rng.uniform(0.1, 0.7))
    rows, columns = int(rng.integers(2, 9)), int(rng.integers(2, 9))
    glass, frame = colour(rng, rng.uniform(0.1, 0.4)), colour(rng)
    margin = rng.uniform(0.12, 0.3)
    for row in range(rows):
        for column in range(columns):
            x0, y0 = int((column + margin) * width / columns), int((row + margin) * height / rows)
            x1, y1 = int((column + 1 - margin) * width / columns), int((row + 1 - margin * 0.7) * height / rows)
            cv2.rectangle(canvas, (x0 - 2, y0 - 2), (x1 + 2, y1 + 2), frame.tolist(), -1)
            pane = np.clip(glass * rng.uniform(0.5, 2.0), 0, 1)
            cv2.rectangle(canvas, (x0, y0), (x1, y1), pane.tolist(), -1)
            cv2.line(canvas, ((x0 + x1) // 2, y0), ((x0 + x1) // 2, y1), frame.tolist(), 1)
    if rng.random() < 0.5:
        top = int(height * rng.uniform(0.75, 0.9))
        canvas[top:] = photo_crop(rng, (height - top, width)) if rng.random() < 0.5 else colour(rng)
    return canvas


def car(rng: np.random.Generator, canvas: np.ndarray, x: float, bottom: float, length: float) -> None:
    """A car-like body with windows and wheels."""
    paint, h = colour(rng), length * rng.uniform(0.3, 0.42)
    outline = [(0, -0.15), (0.02, -0.55), (0.2, -0.6), (0.32, -1), (0.72, -1), (0.86, -0.58), (1, -0.5), (1, -0.15)]
    glass = [(0.26, -0.6), (0.34, -0.93), (0.7, -0.93), (0.8, -0.6)]
    shadow(canvas, (x + length / 2, bottom), (0.55 * length, 0.2 * h), 0.7)
    place = np.array([length, h])
    fill_polygon(canvas, np.array(outline) * place + (x, bottom), paint)
    fill_polygon(canvas, np.array(glass) * place + (x, bottom), paint * 0.2 + rng.uniform(0, 0.2))
    for wheel in (0.2, 0.8):
        centre = (int(x + wheel * length), int(bottom - 0.12 * h))
        cv2.circle(canvas, centre, max(2, int(0.2 * h)), (0.05, 0.05, 0.05), -1, cv2.LINE_AA)
        cv2.circle(canvas, centre, max(1, int(0.1 * h)), (0.5, 0.5, 0.5), -1, cv2.LINE_AA)


def street(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """Draw a street: sky, house fronts along the view and across it, pavement, cars, poles and signs."""
    height, width = size_hw
    horizon = height * rng.uniform(0.4, 0.75)
    canvas = sky(rng, size_hw)
    vanishing_x = rng.uniform(0.1, 0.9) * width
    x = rng.uniform(-0.2, 0) * width
    while x < width:
        w, top = rng.uniform(0.15, 0.5) * width, rng.uniform(-0.4, 0.6) * horizon
        base = horizon + 0.02 * height
        warp_quad(canvas, facade(rng, 160, 160), [(x, top), (x + w, top), (x + w, base), (x, base)])
        x += w * rng.uniform(0.9, 1.2)
    for side in (0, 1):
        if rng.random() < 0.5:
            edge = side * width
            reach = edge + (vanishing_x - edge) * rng.uniform(0.3, 0.8)
            corners = [(edge, -0.8 * height), (reach, 0.1 * height), (reach, horizon + 5), (edge, height * 1.15)]
            warp_quad(canvas, facade(rng, 160, 240) * rng.uniform(0.6, 1.1), corners)
    ground = np.tile(material(rng, (160, 160), colour(rng, rng.uniform(0.2, 0.7)), busy=rng.uniform(0.2, 1)), (2, 3, 1))
    corners = [(-10, horizon), (width + 10, horizon), (3 * width - vanishing_x, height), (-2 * vanishing_x, height)]
    warp_quad(canvas, ground, corners)
    for _ in range(int(rng.integers(0, 4))):
        bottom = horizon + rng.uniform(0.02, 0.3) * height
        car(rng, canvas, rng.uniform(-0.2, 0.9) * width, bottom, (bottom - horizon) * rng.uniform(1.5, 3) + 20)
    for _ in range(int(rng.integers(0, 6))):
        x, w = int(rng.uniform(0, 1) * width), max(1, int(rng.uniform(0.004, 0.02) * width))
        top, bottom = int(rng.uniform(-0.2, 0.6) * horizon), int(rng.uniform(horizon, height))
        cv2.line(canvas, (x, top), (x, bottom), colour(rng).tolist(), w, cv2.LINE_AA)
        if rng.random() < 0.5:
            half = rng.uniform(0.02, 0.08, 2) * width
            left, right, low = x - half[0], x + half[0], top + half[1]
            warp_quad(canvas, photo_crop(rng, (40, 60)), [(left, top), (right, top), (right, low), (left, low)])
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.5 else 0):
        tree(rng, canvas, rng.uniform(0, width), rng.uniform(horizon, height), rng.uniform(0.3, 1.1) * height)
    return canvas * soft_light(rng, size_hw, rng.uniform(0.1, 0.5))
