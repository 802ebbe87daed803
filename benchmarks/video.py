"""How steady and how right labels of videos are, how fast, and what memory they take: prints a table.

    python benchmarks/video.py [--frames 40] [--size 256x192] [--seeds 2] [--model NAME] [--device cpu]
    python benchmarks/video.py --speed | --memory

Rendered clips with truth: somebody walks, turns or waves, before a still and a moving camera. `photo` labels each frame
as a photo of its own (`Predictor`); `video` follows the person (`VideoLabeller`), with and without steady labels.

error: geodesic, in cm, mean over the pixels that show the person and that both `photo` and `video` label.
missed: share of the person's pixels without a label.
changes: of the predicted chart (background included) from one frame to the next, per second and pixel, of two kinds:
`still` pixels, whose true point moves by less than 1 cm on the body while the pixel stays; and `followed` points of the
body, wherever they go in the frame: each pixel is compared with the pixel that shows its true point in the next frame.
Both only where the true chart does not change: at a chart's border it does, though the point moves by millimetres.
--speed: of a 640 x 480 clip with one person, as a photo and as a video, in turns: seconds, and processor seconds, which
other programs of the machine disturb less.
--memory: the most memory that labelling a clip of 10 s and one of 10 minutes takes, 128 x 96, with a network that costs
nothing, each in a process of its own.
"""

import argparse
import time

import numpy as np

FPS = 25
STILL_M = 0.01
METHODS = ("photo", "video, not steady", "video")


def points_of(frame):
    """The true points of a frame's labelled pixels: rows, columns, (P, 3) metres at rest."""
    from opendensepose.surface import SurfacePoints, load_surface

    surface = load_surface()
    rows, columns = np.nonzero(frame.i)
    points = SurfacePoints(frame.face[rows, columns], frame.barycentric[rows, columns])
    return rows, columns, points.xyz(surface.vertices, surface.faces)


def chart_changes(charts, clip, followed: bool) -> tuple[int, int]:
    """Changes of chart from frame to frame, and pairs of pixels compared: at pixels that stay, or along points."""
    from scipy.spatial import cKDTree

    num_changes, num_pairs = 0, 0
    for before, after, of_before, of_after in zip(charts[:-1], charts[1:], clip[:-1], clip[1:], strict=True):
        (r0, c0, xyz0), (r1, c1, xyz1) = points_of(of_before), points_of(of_after)
        if not len(r0) or not len(r1):
            continue
        if followed:
            distance, nearest = cKDTree(xyz1).query(xyz0)
            same = (distance < STILL_M) & (of_before.i[r0, c0] == of_after.i[r1[nearest], c1[nearest]])
            there = r1[nearest], c1[nearest]
        else:
            place = np.full(of_after.i.shape, -1)
            place[r1, c1] = np.arange(len(r1))
            k = place[r0, c0]
            same = (
                (k >= 0)
                & (np.linalg.norm(xyz1[k] - xyz0, axis=1) < STILL_M)
                & (of_before.i[r0, c0] == of_after.i[r0, c0])
            )
            there = r0, c0
        changed = before[r0, c0] != after[there]
        num_changes, num_pairs = num_changes + int((changed & same).sum()), num_pairs + int(same.sum())
    return num_changes, num_pairs


def largest(instances):
    """The map of the person who covers most pixels."""
    return max(instances, key=lambda one: np.count_nonzero(one.iuv.i)).iuv if instances else None


def labelled(clip, args) -> dict:
    """IUV maps of each frame by method; None where nobody was found."""
    from opendensepose.predict import Predictor
    from opendensepose.video.labeller import VideoLabeller

    photo = Predictor(args.model, args.device)
    raw = VideoLabeller(args.model, args.device, steady=False)
    steady = VideoLabeller(args.model, args.device)
    images = [frame.image_rgb for frame in clip]
    return {
        "photo": [largest(photo(image)) for image in images],
        "video, not steady": [largest([one.instance for one in raw(image)]) for image in images],
        "video": [largest([one.instance for one in steady(image)]) for image in images],
    }


def measures(clip, maps, distances) -> dict:
    """By method: summed error in cm and its pixels, missed pixels and all, changes and pairs of both kinds."""
    from opendensepose.evaluation.errors import Labels, point_errors
    from opendensepose.iuv import empty_iuv

    nobody = empty_iuv(clip[0].i.shape)
    maps = {method: [one or nobody for one in of_frames] for method, of_frames in maps.items()}
    sums = {method: np.zeros(8) for method in maps}
    for k, frame in enumerate(clip):
        true = frame.i > 0
        both = true & np.all([of_frames[k].i > 0 for of_frames in maps.values()], axis=0)
        for method, of_frames in maps.items():
            iuv = of_frames[k]
            error_m = point_errors(
                Labels(frame.i[both], frame.u[both], frame.v[both]), Labels(iuv.i[both], iuv.u[both], iuv.v[both]),
                distances,
            )  # fmt: skip
            sums[method][:4] += 100 * error_m.sum(), both.sum(), (true & (iuv.i == 0)).sum(), true.sum()
    for method, of_frames in maps.items():
        charts = [iuv.i for iuv in of_frames]
        sums[method][4:6], sums[method][6:] = chart_changes(charts, clip, False), chart_changes(charts, clip, True)
    return sums


def steadiness(args) -> None:
    from opendensepose.evaluation.errors import ChartDistances
    from opendensepose.surface import GeodesicDistances, load_charts, load_surface
    from opendensepose.synth.clip import ACTIONS, render_clip

    charts = load_charts()
    distances = ChartDistances(charts, GeodesicDistances(load_surface()))
    size_hw = tuple(int(side) for side in args.size.split("x"))
    print(f"{'clip':28s}{'labels':20s}{'error cm':>9s}{'missed':>8s}{'still/s':>9s}{'followed/s':>11s}")
    total = {method: np.zeros(8) for method in METHODS}
    for action in ACTIONS:
        for moves in (False, True):
            for seed in range(args.seeds):
                clip = render_clip(seed, size_hw, args.frames, action, moves, FPS)
                sums = measures(clip, labelled(clip, args), distances)
                name = f"{action}, {'moving' if moves else 'still'} camera, {seed}"
                print_rows(name, sums)
                total = {method: total[method] + sums[method] for method in METHODS}
    print_rows("all", total)


def print_rows(name: str, sums: dict) -> None:
    for method, (error, num, missed, true, still, stills, moved, pairs) in sums.items():
        rates = FPS * still / max(stills, 1), FPS * moved / max(pairs, 1)
        print(
            f"{name:28s}{method:20s}{error / num:9.2f}{missed / true:8.1%}{rates[0]:9.3f}{rates[1]:11.3f}", flush=True
        )


def speed(args) -> None:
    import cv2

    from opendensepose.data import example_photo
    from opendensepose.predict import Predictor
    from opendensepose.video.labeller import VideoLabeller

    photo = cv2.copyMakeBorder(cv2.resize(example_photo(), (480, 480)), 40, 40, 120, 120, cv2.BORDER_REPLICATE)
    shifts = [(40 + 30 * np.sin(k / 8), 40 + 20 * np.sin(k / 11)) for k in range(args.frames)]
    frames = [cv2.warpAffine(photo, np.float32([[1, 0, -x], [0, 1, -y]]), (640, 480)) for x, y in shifts]
    predictor, labeller = Predictor(args.model, args.device), VideoLabeller(args.model, args.device)
    predictor(frames[0]), labeller(frames[0])  # load and warm up
    times = np.zeros((2, 2, len(frames) - 1))  # seconds and processor seconds, of photo and video
    for k, frame in enumerate(frames[1:]):  # in turns, so that both meet the same load of the machine
        for row, label in enumerate((predictor, labeller)):
            start, of_processor = time.perf_counter(), time.process_time()
            label(frame)
            times[:, row, k] = time.perf_counter() - start, time.process_time() - of_processor
    for what, of_methods in zip(("seconds", "processor seconds"), times, strict=True):
        for name, of_frames in zip(("photo", "video"), of_methods, strict=True):
            mean, median = 1000 * of_frames.mean(), 1000 * np.median(of_frames)
            print(f"{what:18s}{name:8s}mean {mean:.0f} ms a frame, median {median:.0f} ms")
        print(f"{what:18s}photo / video: {of_methods[0].sum() / of_methods[1].sum():.2f}")


class _Nobody:
    """A network that costs nothing and sees nobody, so that each frame is searched; or one square person."""

    min_score = 0.5

    def __init__(self, is_there: bool):
        self.is_there = is_there

    def find(self, images_rgb, min_score):
        box = np.float32([40, 20, 90, 80])
        return [found for image in images_rgb for found in self.label([image], [box[None] if self.is_there else []])]

    def label(self, images_rgb, boxes_xyxy):
        from opendensepose.instance import Instance
        from opendensepose.iuv import IUV

        i = np.zeros(images_rgb[0].shape[:2], np.uint8)
        i[20:80, 40:90] = 2
        u = np.float32(0.5) * (i > 0)
        return [[Instance(box, 0.9, IUV(i, u, u), u) for box in boxes_xyxy[0]]]


def memory(args) -> None:
    import subprocess
    import sys

    lengths = (250, 15_000) if not args.with_person else (250, 1500)
    command = [sys.executable, __file__, *(["--with-person"] if args.with_person else []), "--memory-of"]
    peaks = [int(subprocess.run([*command, str(n)], check=True, capture_output=True).stdout) for n in lengths]
    for num_frames, peak in zip(lengths, peaks, strict=True):
        print(f"{num_frames} frames: {peak / 1024:.1f} MB at most")
    print(f"ratio: {peaks[1] / peaks[0]:.3f}")


def memory_of(num_frames: int, with_person: bool) -> None:
    import resource
    import tempfile
    from pathlib import Path

    from opendensepose.predict import Predictor
    from opendensepose.video import labeller
    from opendensepose.video.clip_writer import write_clip
    from opendensepose.video.predict_video import predict_video

    class CheapPredictor(Predictor):
        def __init__(self, *network, **options):
            self.network = _Nobody(with_person)
            self.min_score, self.vertex_charts = 0.5, None

    labeller.Predictor = CheapPredictor
    ground = np.random.default_rng(0).integers(0, 256, (96, 160, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip, (ground[:, k % 32 : k % 32 + 128] for k in range(num_frames)), 25)
        predict_video(clip, folder)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--size", default="256x192", help="height x width of the rendered clips")
    parser.add_argument("--seeds", type=int, default=2, help="people of each kind of clip")
    parser.add_argument("--model", default="default")
    parser.add_argument("--device", default=None)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--with-person", action="store_true", help="of --memory: somebody is there, for a minute only")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory_of:
        memory_of(args.memory_of, args.with_person)
    else:
        (memory if args.memory else speed if args.speed else steadiness)(args)


if __name__ == "__main__":
    main()
