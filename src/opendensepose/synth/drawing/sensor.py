"""A camera's effects on a clean picture: blur, noise, colour, JPEG; the same code on CPU and CUDA."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from opendensepose.synth.drawing.resize import resize
from opendensepose.synth.textures.atlas import LUMA
from opendensepose.synth.textures.noise import normal_noise

__all__ = ["apply_sensor", "SENSOR_STEPS"]

CLEAN_SHARE = 0.2  # pictures that stay free of blur, noise and rescaling; JPEG still applies


def luma(image: torch.Tensor) -> torch.Tensor:
    """(H, W) brightness."""
    return image[..., 0] * LUMA[0] + image[..., 1] * LUMA[1] + image[..., 2] * LUMA[2]


def white_balance(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """A gain per channel: warm or cool light, a hint of green or magenta."""
    warm, tint = rng.normal(0, 0.09 * strength), rng.normal(0, 0.03 * strength)
    gain = torch.tensor([1 + warm, 1 + tint, 1 - warm], dtype=torch.float32, device=image.device)
    return image * gain


def exposure(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """Overall gain, about +-0.6 stops at two sigma."""
    return image * float(2 ** rng.normal(0, 0.3 * strength))


def gamma(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """A power curve, exponent about 0.75 to 1.35."""
    return image.clamp(0, 1) ** float(np.exp(rng.normal(0, 0.15 * strength)))


def contrast(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """Contrast about the mean, with a lifted black level now and then (haze, flare)."""
    step_y, step_x = (side // 32 + 1 for side in image.shape[:2])  # few pixels: the same on any number of threads
    mean = image[::step_y, ::step_x].mean()
    image = (image - mean) * float(np.exp(rng.normal(0, 0.2 * strength))) + mean
    haze = max(0.0, rng.normal(-0.03, 0.06)) * min(strength, 1.0)
    return image * (1 - haze) + haze


def saturation(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """More or less colourful."""
    amount = float(np.clip(1 + rng.normal(-0.05, 0.3) * strength, 0, 2))
    return torch.lerp(luma(image)[..., None], image, amount)


def tone_curve(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """An S-curve (or its inverse): x + a x (1 - x) (2 x - 1)."""
    amount = float(rng.uniform(-0.6, 1.0)) * min(strength, 1.0)
    x = image.clamp(0, 1)
    return x + amount * x * (1 - x) * (2 * x - 1)


def vignette(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """Darker corners."""
    height, width = image.shape[:2]
    y = torch.linspace(-1, 1, height, device=image.device)[:, None] + float(rng.normal(0, 0.1))
    x = torch.linspace(-1, 1, width, device=image.device)[None, :] + float(rng.normal(0, 0.1))
    fall = 1 - float(rng.uniform(0.05, 0.3)) * strength * (x * x + y * y).clamp_max(2) / 2
    return image * fall[..., None]


def grey(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """A black-and-white photo, sometimes toned."""
    grey_image = luma(image)[..., None]
    tone = rng.normal(0, 0.02, 3) if rng.random() < 0.3 else np.zeros(3)
    toned = grey_image * torch.tensor(1 + tone, dtype=torch.float32, device=image.device)
    return torch.lerp(image, toned, min(1.0, strength))


def convolve(image: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Correlate each channel of (H, W, 3) with a small (K, K) numpy kernel, edges repeated."""
    if image.device.type == "cpu":
        border = cv2.BORDER_REPLICATE
        return torch.from_numpy(cv2.filter2D(image.numpy(), -1, kernel, borderType=border))
    pad = kernel.shape[0] // 2
    planes = image.permute(2, 0, 1)[:, None]
    weights = torch.from_numpy(kernel.astype(np.float32)).to(image.device)[None, None]
    blurred = F.conv2d(F.pad(planes, (pad,) * 4, mode="replicate"), weights)
    return blurred[:, 0].permute(1, 2, 0)


def defocus_blur(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """Blur by a disc of up to 1 % of the shorter side (a soft Gaussian in half of the cases)."""
    radius = float(rng.uniform(0.4, 0.011 * min(image.shape[:2]) + 0.4)) * strength
    reach = max(1, int(np.ceil(radius)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    distance = np.hypot(x, y)
    disc = np.clip(radius + 0.5 - distance, 0, 1)
    gaussian = np.exp(-((distance / max(radius, 1e-3)) ** 2))
    kernel = disc if rng.random() < 0.5 else gaussian
    return convolve(image, (kernel / kernel.sum()).astype(np.float32))


def motion_blur(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """Blur along a straight line of up to 4 % of the shorter side."""
    length = float(rng.uniform(1.5, 0.04 * min(image.shape[:2]) + 2)) * strength
    angle = rng.uniform(0, np.pi)
    reach = max(1, int(np.ceil(length / 2)))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for step in np.linspace(-length / 2, length / 2, 4 * reach + 1):
        x, y = reach + step * np.cos(angle), reach + step * np.sin(angle)
        column, row = int(x), int(y)
        for r, c, w in ((0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 0)):
            w = abs(1 - r - (y - row)) * abs(1 - c - (x - column))
            kernel[min(row + r, 2 * reach), min(column + c, 2 * reach)] += w
    return convolve(image, kernel / kernel.sum())


def low_resolution(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """Scale down by up to 4 and up again, as thumbnails and far people are."""
    height, width = image.shape[:2]
    factor = 1 + float(rng.exponential(0.8)) * strength
    small = [max(8, round(s / min(factor, 4.0))) for s in (height, width)]
    mode = ("bilinear", "bicubic", "nearest")[rng.choice(3, p=(0.5, 0.4, 0.1))]
    return resize(resize(image, small, "area"), (height, width), mode)


def photon_noise(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """Shot and read noise; in a third of the cases blotchy, as after a denoiser or at high ISO."""
    shot = float(rng.exponential(0.02)) * strength
    read = float(rng.exponential(0.012)) * strength
    image = image.clamp(0, 1)
    noise = normal_noise(rng, image.shape, image.device)
    if rng.random() < 0.33:
        noise = (noise + noise.roll(1, 0) + noise.roll(1, 1)) * 0.6
    if rng.random() < 0.4:  # luminance only
        noise = noise[..., :1]
    return image + noise * (image * shot**2 + read**2).sqrt()


def sharpening_halo(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """Unsharp masking with its light and dark halos."""
    radius = 1 if rng.random() < 0.7 else 2
    size = 2 * radius + 1
    blurred = convolve(image, np.full((size, size), size**-2, np.float32))
    return image + (image - blurred) * (float(rng.uniform(0.2, 1.2)) * strength)


class SensorStep(NamedTuple):
    """One step of a camera's pipeline."""

    probability: float
    apply: Callable[[np.random.Generator, torch.Tensor, float], torch.Tensor]  # of rng, image and strength


SENSOR_STEPS = {  # in the order of a camera's pipeline
    "defocus_blur": SensorStep(0.18, defocus_blur),
    "motion_blur": SensorStep(0.08, motion_blur),
    "vignette": SensorStep(0.15, vignette),
    "white_balance": SensorStep(0.5, white_balance),
    "exposure": SensorStep(0.5, exposure),
    "low_resolution": SensorStep(0.2, low_resolution),
    "photon_noise": SensorStep(0.45, photon_noise),
    "gamma": SensorStep(0.2, gamma),
    "tone_curve": SensorStep(0.25, tone_curve),
    "contrast": SensorStep(0.4, contrast),
    "saturation": SensorStep(0.35, saturation),
    "grey": SensorStep(0.065, grey),
    "sharpening_halo": SensorStep(0.2, sharpening_halo),
}
OPTICAL_STEPS = ("defocus_blur", "motion_blur", "low_resolution", "photon_noise", "sharpening_halo")
JPEG_PROBABILITY = 0.75


def jpeg(rng: np.random.Generator, image: torch.Tensor, strength: float) -> torch.Tensor:
    """Encode and decode (H, W, 3) uint8 as JPEG of quality 25 to 98, mostly good."""
    quality = int(round(98 - (73 * rng.beta(1.2, 2.5)) * min(strength, 1.0)))
    array = np.ascontiguousarray(image.cpu().numpy()[..., ::-1])
    encoded = cv2.imencode(".jpg", array, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return torch.from_numpy(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)).to(image.device)


def to_uint8(image: torch.Tensor) -> torch.Tensor:
    """Convert [0, 1] float to uint8, rounded."""
    return (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8)


def apply_sensor(rng: np.random.Generator, image: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
    """Photograph an image (H, W, 3) float32 sRGB in [0, 1]: (H, W, 3) uint8 on the same device.

    strength: scales every effect; 0 only rounds. A third of the results are sharp and clean.
    """
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image must have shape (H, W, 3), got {tuple(image.shape)}")
    if strength <= 0:
        return to_uint8(image)
    clean = rng.random() < CLEAN_SHARE
    chosen = rng.random(len(SENSOR_STEPS))
    for (name, step), draw in zip(SENSOR_STEPS.items(), chosen, strict=True):
        if draw < step.probability and not (clean and name in OPTICAL_STEPS):
            image = step.apply(rng, image, strength)
    image = to_uint8(image)
    return jpeg(rng, image, strength) if rng.random() < JPEG_PROBABILITY else image
