"""The official models for people and chimpanzees, by name: where they lie, how good they are, what their licence is.

Sources: of charts, detectron2's projects/DensePose/doc/DENSEPOSE_IUV.md, which licenses all of them, the legacy ones
too, under CC BY-SA 3.0; of embeddings (CSE), DENSEPOSE_CSE.md there, which states no licence. A name is that of the
configuration without its beginning; the embedding models, whose configurations have the names of others, begin with
CSE_. The old Caffe2 models under CC BY-NC are others. The six digits in a file's name are not the beginning of its
SHA-256, and what else they are is not published: only digests that people who have the file have published are checked.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from opendensepose.cache_folder import cache_folder
from opendensepose.models.checkpoints.download import download

__all__ = ["OFFICIAL", "OfficialModel", "address_of", "fetch_official", "official_of_file"]

BASE = "https://dl.fbaipublicfiles.com/densepose"
LICENCE = "CC BY-SA 3.0 (https://creativecommons.org/licenses/by-sa/3.0/)"
NO_LICENCE = "not stated by its authors (detectron2's code: Apache 2.0)"
FOLDERS = {"charts": "densepose_rcnn_", "chimpanzees": "evolution/densepose_", "embeddings": "cse/densepose_rcnn_"}
EMBEDDINGS = "CSE_"  # how the names of these models begin here


@dataclass(frozen=True)
class OfficialModel:
    """AP in percent, by GPS with one normaliser per part, and by GPSm: on COCO-DensePose minival, of chimpanzees on
    DensePose-Chimps."""

    model_id: int
    digits: str  # in the file's name
    ap_gps: float
    ap_gpsm: float
    sha256: str | None = None
    kind: str = "charts"  # or "chimpanzees", charts too, or "embeddings"

    @property
    def licence(self) -> str:
        return NO_LICENCE if self.kind == "embeddings" else LICENCE

    @property
    def aligned_boxes(self) -> bool:
        """Return whether boxes are pooled as is detectron2's default, see `build_densepose_rcnn`."""
        return self.kind == "chimpanzees"


OFFICIAL = {
    "R_50_FPN_s1x_legacy": OfficialModel(164832157, "d366fa", 52.1, 54.9),
    "R_101_FPN_s1x_legacy": OfficialModel(164832182, "10af0e", 53.2, 56.0),
    "R_50_FPN_s1x": OfficialModel(
        165712039,
        "162be9",
        63.7,
        65.3,
        sha256="b8a7382001b16e453bad95ca9dbc68ae8f2b839b304cf90eaf5c27fbdb4dae91",
    ),
    "R_101_FPN_s1x": OfficialModel(165712084, "c6ab63", 64.5, 66.2),
    "R_50_FPN_DL_s1x": OfficialModel(165712097, "0ed407", 65.6, 66.7),
    "R_101_FPN_DL_s1x": OfficialModel(165712116, "844d15", 66.3, 67.6),
    "R_50_FPN_WC1_s1x": OfficialModel(173862049, "289019", 64.2, 65.4),
    "R_50_FPN_WC2_s1x": OfficialModel(173861455, "3abe14", 64.2, 65.7),
    "R_50_FPN_DL_WC1_s1x": OfficialModel(173067973, "b1e525", 65.8, 67.0),
    "R_50_FPN_DL_WC2_s1x": OfficialModel(173859335, "60fed4", 65.6, 66.7),
    "R_101_FPN_WC1_s1x": OfficialModel(171402969, "9e47f0", 64.9, 66.3),
    "R_101_FPN_WC2_s1x": OfficialModel(173860702, "5ea023", 64.8, 66.4),
    "R_101_FPN_DL_WC1_s1x": OfficialModel(173858525, "f359f3", 66.2, 67.2),
    "R_101_FPN_DL_WC2_s1x": OfficialModel(173294801, "6e1ed1", 65.9, 67.2),
    "R_50_FPN_WC1M_s1x": OfficialModel(217144516, "48a9d9", 64.0, 65.4),
    "R_50_FPN_WC2M_s1x": OfficialModel(216245640, "d79ada", 64.2, 65.5),
    "R_50_FPN_DL_WC1M_s1x": OfficialModel(216245703, "61971e", 65.2, 66.7),
    "R_50_FPN_DL_WC2M_s1x": OfficialModel(216245758, "7bfb43", 65.0, 66.4),
    "R_101_FPN_WC1M_s1x": OfficialModel(216453687, "0a7287", 64.8, 66.0),
    "R_101_FPN_WC2M_s1x": OfficialModel(216245682, "e354d9", 64.5, 66.0),
    "R_101_FPN_DL_WC1M_s1x": OfficialModel(216245771, "0ebeb3", 66.4, 67.1),
    "R_101_FPN_DL_WC2M_s1x": OfficialModel(216245790, "de6e7a", 66.1, 67.1),
    "R_50_FPN_DL_WC1M_3x_Atop10P_CA": OfficialModel(217578784, "9fe1cc", 20.0, 30.2, kind="chimpanzees"),
    "R_50_FPN_DL_WC1M_3x_Atop10P_CA_B_uniform": OfficialModel(256453729, "241ff5", 21.5, 31.0, kind="chimpanzees"),
    "R_50_FPN_DL_WC1M_3x_Atop10P_CA_B_uv": OfficialModel(256452095, "d689e2", 22.2, 32.1, kind="chimpanzees"),
    "R_50_FPN_DL_WC1M_3x_Atop10P_CA_B_finesegm": OfficialModel(256452819, "cb4ac6", 20.7, 30.7, kind="chimpanzees"),
    "R_50_FPN_DL_WC1M_3x_Atop10P_CA_B_coarsesegm": OfficialModel(256455697, "a6a4bf", 21.5, 31.6, kind="chimpanzees"),
    "CSE_R_50_FPN_s1x": OfficialModel(251155172, "c4ea5f", 64.4, 65.7, kind="embeddings"),
    "CSE_R_101_FPN_s1x": OfficialModel(251155500, "5c995f", 64.7, 65.8, kind="embeddings"),
    "CSE_R_50_FPN_DL_s1x": OfficialModel(251156349, "e96218", 65.5, 66.4, kind="embeddings"),
    "CSE_R_101_FPN_DL_s1x": OfficialModel(251156606, "b236ce", 65.6, 66.6, kind="embeddings"),
    "CSE_R_50_FPN_soft_s1x": OfficialModel(250533982, "2c4512", 64.3, 65.4, kind="embeddings"),
    "CSE_R_101_FPN_soft_s1x": OfficialModel(250712522, "4637da", 64.5, 66.0, kind="embeddings"),
    "CSE_R_50_FPN_DL_soft_s1x": OfficialModel(250713703, "9199f5", 66.1, 66.7, kind="embeddings"),
    "CSE_R_101_FPN_DL_soft_s1x": OfficialModel(250713061, "1d3314", 66.2, 67.1, kind="embeddings"),
}


def address_of(name: str) -> str:
    """Return the address of an official model's file."""
    model = OFFICIAL[name]
    folder = FOLDERS[model.kind] + name.removeprefix(EMBEDDINGS)
    return f"{BASE}/{folder}/{model.model_id}/model_final_{model.digits}.pkl"


def official_of_file(path: str | Path) -> OfficialModel | None:
    """Return the official model whose digits end the name of a file, as in model_final_162be9.pkl; None if none do."""
    digits = Path(path).stem.rpartition("_")[2]
    return next((model for model in OFFICIAL.values() if model.digits == digits), None)


def fetch_official(name: str) -> Path:
    """Return the file of an official model, downloaded when first asked for. OSError, one sentence, if that fails."""
    model, address = OFFICIAL[name], address_of(name)
    path = cache_folder() / f"{name}_{model.digits}.pkl"
    if path.is_file():
        return path
    print(f"{name}: weights of detectron2's DensePose, licence {model.licence}, kept in {path}", file=sys.stderr)
    try:
        download(address, path, model.sha256)
    except (OSError, ValueError) as error:
        reason = str(error).rstrip(".")
        raise OSError(
            f"{name} could not be downloaded ({reason}): run it again to go on from there, or fetch {address} by hand"
            " and name that file with --model FILE."
        ) from error
    return path
