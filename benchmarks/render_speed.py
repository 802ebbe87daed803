"""How many labelled pictures of one person, 256 x 192, one core renders a second.

OMP_NUM_THREADS=1 python benchmarks/render_speed.py [--pictures 128]

Rows: `render_images` in batches of 16, as training calls it, and `render_image` one by one, labels and all; and as a
yardstick of the machine, in the same run and by turns, Anny posing one body and Warp casting one ray per pixel at it
with a new BVH: the least that a renderer of one such body has to do. The target is 40 pictures a second.
"""

import argparse
import platform
import time

import anny
import numpy as np
import torch
import warp as wp
from rich.console import Console
from rich.table import Table

from opendensepose.synth import render_image, render_images

HEIGHT, WIDTH = 256, 192
BATCH = 16
YARDSTICK = "yardstick: Anny posing + Warp BVH and rays"


@wp.kernel
def cast(mesh: wp.uint64, origin: wp.vec3, focal_px: float, width: int, height: int, face: wp.array(dtype=wp.int32)):
    k = wp.tid()
    x = (float(k % width) + 0.5 - 0.5 * float(width)) / focal_px
    z = (0.5 * float(height) - float(k / width) - 0.5) / focal_px
    hit = wp.mesh_query_ray(mesh, origin, wp.normalize(wp.vec3(x, 1.0, z)), 1.0e6)
    face[k] = wp.where(hit.result, hit.face, -1)


class Yardstick:
    """Poses Anny and casts a view of it; nothing else."""

    def __init__(self):
        self.model = anny.Anny()
        faces = torch.as_tensor(np.asarray(self.model.faces))
        if faces.shape[1] == 4:  # quads to triangles
            faces = torch.cat([faces[:, :3], faces[:, [0, 2, 3]]])
        self.indices = wp.array(faces.reshape(-1).numpy().astype(np.int32), dtype=wp.int32, device="cpu")
        self.face = wp.zeros(HEIGHT * WIDTH, dtype=wp.int32, device="cpu")

    @torch.inference_mode()
    def __call__(self) -> int:
        """Number of pixels that hit the body."""
        vertices = self.model()["vertices"][0].numpy().astype(np.float32)
        mesh = wp.Mesh(points=wp.array(vertices, dtype=wp.vec3, device="cpu"), indices=self.indices)
        middle = (vertices.min(0) + vertices.max(0)) / 2
        origin = wp.vec3(float(middle[0]), float(middle[1]) - 4.0, float(middle[2]))
        inputs = [mesh.id, origin, 500.0, WIDTH, HEIGHT, self.face]
        wp.launch(cast, HEIGHT * WIDTH, inputs=inputs, device="cpu")
        return int((self.face.numpy() >= 0).sum())


def work_of_a_batch(yardstick: Yardstick) -> dict:
    """Name -> function that makes BATCH pictures, given their random generators."""
    kind = {"framing": "portrait", "num_people": 1}
    return {
        f"render_images, batches of {BATCH}": lambda rngs: render_images(rngs, (HEIGHT, WIDTH), **kind),
        "render_image, one by one": lambda rngs: [render_image(rng, (HEIGHT, WIDTH), **kind) for rng in rngs],
        YARDSTICK: lambda rngs: [yardstick() for _ in rngs],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=128)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    yardstick = Yardstick()
    covered = yardstick()
    if covered < 1000:
        raise SystemExit(f"the yardstick's rays hit the body in {covered} pixels only: its view is wrong")
    work = work_of_a_batch(yardstick)
    times: dict[str, list[float]] = {name: [] for name in work}  # seconds a picture, a value per batch
    for batch in range(1 + max(1, arguments.pictures // BATCH)):
        for name, make in work.items():
            rngs = [np.random.default_rng([batch, k]) for k in range(BATCH)]
            start = time.perf_counter()
            make(rngs)
            if batch > 0:  # the first fills caches
                times[name].append((time.perf_counter() - start) / BATCH)
    table = Table(title=f"{HEIGHT} high, {WIDTH} wide, one thread, {arguments.pictures} pictures, {platform.machine()}")
    for column in ("what", "pictures/s", "mean ms", "best ms", "of the yardstick"):
        table.add_column(column, justify="left" if column == "what" else "right")
    base = np.mean(times[YARDSTICK])
    for name, seconds in times.items():
        mean = float(np.mean(seconds))
        table.add_row(name, f"{1 / mean:.1f}", f"{1e3 * mean:.1f}", f"{1e3 * min(seconds):.1f}", f"{mean / base:.2f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
