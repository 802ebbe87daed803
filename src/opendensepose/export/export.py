"""One model, several formats: what `opendensepose export` writes."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch
from torch import nn

from opendensepose.atomic_write import atomic_file
from opendensepose.data.photos import find_photos, read_photo
from opendensepose.export.controlnet import ControlNetLabeller
from opendensepose.export.int8 import CALIBRATION_PHOTOS, network_inputs, quantise
from opendensepose.export.networks import Detect, Label
from opendensepose.export.onnx_graph import read_weights_from, trace_graph, write_graph
from opendensepose.export.rcnn import export_rcnn_onnx
from opendensepose.models.checkpoints.checkpoint import load_checkpoint
from opendensepose.models.checkpoints.model_files import weights_path
from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite, TorchRuntime
from opendensepose.models.densepose_lite.runtimes import exported_files, settings_text
from opendensepose.models.fold_norms import fold_norms
from opendensepose.models.rcnn.densepose_rcnn import DensePoseRCNN

__all__ = ["FORMATS", "export_lite_int8", "export_lite_onnx", "export_model"]


def export_model(
    model: str | Path, format_name: str, out: str | Path, calibration: Sequence[str | Path] = ()
) -> list[Path]:
    """Write a model, by name or checkpoint file, in one of FORMATS: the files are returned, written whole or not at
    all.

    calibration: photos of people, or folders of them, for onnx-int8. ValueError, one sentence, for another format, a
    wrong suffix, a model that the format cannot hold, or photos too many or too few.
    """
    if format_name not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {format_name!r}.")
    write, suffixes = FORMATS[format_name]
    out = Path(out)
    if out.suffix not in suffixes:
        raise ValueError(f"a file of {format_name} must end in {' or '.join(suffixes)}, got {out.name!r}.")
    if not out.parent.is_dir():
        raise ValueError(f"there is no folder {out.parent} to write to.")
    if bool(calibration) != (format_name == "onnx-int8"):
        raise ValueError(
            "onnx-int8 needs photos of people to calibrate on: give them, or folders of them, as calibration."
            if not calibration
            else f"only onnx-int8 is calibrated on photos, got some for {format_name}."
        )
    photos = find_photos(list(calibration))  # says so if there are none
    checkpoint = load_checkpoint(weights_path(model))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TorchScript will not grow any more; that sizes are traced
        if isinstance(checkpoint.model, DensePoseRCNN) and format_name == "onnx":
            return export_rcnn_onnx(checkpoint.model, out)
        if not isinstance(checkpoint.model, DensePoseLite):
            raise ValueError(
                f"only a densepose_lite can be exported as {format_name}, and region networks with charts as onnx, got"
                f" a {checkpoint.architecture}: {model}."
            )
        lite = checkpoint.model.to(memory_format=torch.contiguous_format)
        return write(lite, out, photos) if photos else write(lite, out)


def export_lite_onnx(model: DensePoseLite, out: Path, weights: Path | None = None) -> list[Path]:
    """Write the two networks of a DensePoseLite as ONNX, float32, for any number of images of any size.

    weights: read the weights from this checkpoint of the model, in the folder of `out`, instead of holding them.
    Returns the files, see `runtimes.exported_files`.
    """
    files = list(exported_files(out))
    networks: tuple[Detect | Label, ...] = Detect(model), Label(model)
    for network, file in zip(networks, files, strict=True):
        example = torch.zeros((2, *network.example_hw, 3), dtype=torch.uint8)
        dynamic = {"image": {0: "images", 1: "height", 2: "width"}}
        dynamic |= {name: {0: "images"} for name in network.output_names}
        examples, about = {"image": example}, settings_text(model)
        graph = trace_graph(network, examples, network.output_names, dynamic, about, fold=not weights)
        write_graph(read_weights_from(graph, weights, "model.") if weights else graph, file)
    return files


def export_lite_int8(model: DensePoseLite, out: Path, photos: Sequence[Path]) -> list[Path]:
    """Write the two networks of a DensePoseLite as ONNX in 8-bit integers, see `quantise`, calibrated on photos."""
    seen = network_inputs(TorchRuntime(model), (read_photo(path) for path in photos[:CALIBRATION_PHOTOS]))
    if not all(seen):
        raise ValueError(f"nobody is found in the {len(photos)} photos to calibrate on: give photos of people.")
    files = list(exported_files(out))
    with TemporaryDirectory() as folder:
        graphs = export_lite_onnx(model, Path(folder) / out.name)
        quantised = [quantise(onnx.load(graph), images) for graph, images in zip(graphs, seen, strict=True)]
    for graph, file in zip(quantised, files, strict=True):
        write_graph(graph, file)
    return files


def _export_openvino(model: DensePoseLite, out: Path) -> list[Path]:
    """Write the two networks as OpenVINO's .xml and .bin, the weights in float32."""
    import openvino

    written = []
    with TemporaryDirectory(dir=out.parent) as folder:
        for graph in export_lite_onnx(model, Path(folder) / f"{out.stem}.onnx"):
            file = out.with_name(f"{graph.stem}.xml")
            openvino.save_model(openvino.Core().read_model(graph), graph.with_suffix(".xml"), compress_to_fp16=False)
            for suffix in (".bin", ".xml"):  # the .xml, which is opened, last
                graph.with_suffix(suffix).replace(file.with_suffix(suffix))
            written += [file, file.with_suffix(".bin")]
    return written


def _export_torchscript(model: DensePoseLite, out: Path) -> list[Path]:
    """Write one TorchScript file with the methods `detect` and `label` of images (N, H, W, 3) uint8, for the CPU."""
    fold_norms(model.eval()).requires_grad_(False)
    networks = nn.ModuleDict({"detect": Detect(model), "label": Label(model)})
    traced = {
        name: torch.jit.trace(network, torch.zeros((2, *network.example_hw, 3), dtype=torch.uint8), check_trace=False)
        for name, network in networks.items()
    }
    return _save_script(torch.jit.script(_DetectAndLabel(**traced)), out)


class _DetectAndLabel(nn.Module):
    """Both networks of a DensePoseLite in one module; see `Runtime`."""

    def __init__(self, detect: nn.Module, label: nn.Module):
        super().__init__()
        self.detector, self.labeller = detect, label

    @torch.jit.export
    def detect(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.detector(image)

    @torch.jit.export
    def label(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.labeller(image)


def _export_controlnet(model: DensePoseLite, out: Path) -> list[Path]:
    """Write one TorchScript file that labels a photo as ControlNet's front-ends ask, see `ControlNetLabeller`."""
    fold_norms(model.eval()).requires_grad_(False)
    return _save_script(torch.jit.script(ControlNetLabeller(model)), out)


def _save_script(script: torch.jit.ScriptModule, out: Path) -> list[Path]:
    with atomic_file(out) as unfinished:
        torch.jit.save(script, str(unfinished))
    return [out]


# Format -> what writes it, and how its file's name ends. onnx-int8 takes photos besides.
FORMATS: dict[str, tuple[Callable[..., list[Path]], tuple[str, ...]]] = {
    "onnx": (export_lite_onnx, (".onnx",)),
    "onnx-int8": (export_lite_int8, (".onnx",)),
    "openvino": (_export_openvino, (".xml",)),
    "torchscript": (_export_torchscript, (".pt", ".torchscript")),
    "controlnet": (_export_controlnet, (".pt", ".torchscript")),
}
