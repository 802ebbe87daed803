"""What is lost between photo and texture: rendered people with their true I, U, V, baked and drawn again.

python benchmarks/texture_round_trip.py [COUNT]

PSNR over the pixels whose texels were seen, and over all labelled pixels, where the outline's are filled in.
"""

import sys

import numpy as np

from opendensepose import IUV, Instance, bake_texture, draw_texture, render_image
from opendensepose.surface.atlas import tile_layout
from opendensepose.texture import Source, Texture, resample_texture


def person_of(rendered) -> Instance:
    mask = rendered.person == 1
    iuv = IUV(*(np.where(mask, one, 0).astype(one.dtype) for one in (rendered.i, rendered.u, rendered.v)))
    return Instance(rendered.boxes_xyxy[0], 1.0, iuv, mask.astype(np.float32))


def draw_plain(image_rgb: np.ndarray, person: Instance, texture: Texture) -> np.ndarray:
    return draw_texture(image_rgb, [person], texture, shading=0, soft_edge=False)


def psnr(drawn: np.ndarray, image_rgb: np.ndarray, where: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / ((drawn[where].astype(float) - image_rgb[where]) ** 2).mean()))


def main() -> None:
    print("seed   pixels   seen   map: seen    all   atlas: seen   (PSNR, dB)")
    values = []
    for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 6):
        rendered = render_image(np.random.default_rng(seed), (640, 480), framing="portrait", num_people=1)
        person, image_rgb = person_of(rendered), rendered.image_rgb
        mask = person.iuv.i > 0
        texture = bake_texture([(image_rgb, [person])])
        source = Texture(np.repeat(texture.source[..., None], 3, axis=2), texture.source, texture.layout)
        seen = mask & (draw_plain(image_rgb, person, source)[..., 0] >= Source.SEEN - 5)
        drawn = draw_plain(image_rgb, person, texture)
        tiles = draw_plain(image_rgb, person, resample_texture(texture, tile_layout()))
        row = psnr(drawn, image_rgb, seen), psnr(drawn, image_rgb, mask), psnr(tiles, image_rgb, seen)
        values.append(row)
        share = seen.sum() / mask.sum()
        print(f"{seed:4d} {mask.sum():8d} {share:6.2f} {row[0]:11.1f} {row[1]:6.1f} {row[2]:13.1f}", flush=True)
    print(f"lowest {'':19}" + "{:7.1f} {:6.1f} {:13.1f}".format(*np.min(values, axis=0)))


if __name__ == "__main__":
    main()
