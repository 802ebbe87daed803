"""The table of official models."""

import pytest

from opendensepose.models.checkpoints.official import OFFICIAL, address_of, official_of_file


def names(kind):
    return {name for name, model in OFFICIAL.items() if model.kind == kind}


def test_every_combination_is_there():
    wanted = {f"R_{depth}_FPN_s1x_legacy" for depth in (50, 101)}
    for depth in (50, 101):
        for head in ("", "DL_"):
            wanted |= {f"R_{depth}_FPN_{head}{kind}s1x" for kind in ("", "WC1_", "WC2_", "WC1M_", "WC2M_")}
    assert names("charts") == wanted
    wanted = {
        f"CSE_R_{depth}_FPN_{head}{loss}s1x" for depth in (50, 101) for head in ("", "DL_") for loss in ("", "soft_")
    }
    assert names("embeddings") == wanted
    samplings = ("", "_B_uniform", "_B_uv", "_B_finesegm", "_B_coarsesegm")
    assert names("chimpanzees") == {f"R_50_FPN_DL_WC1M_3x_Atop10P_CA{sampling}" for sampling in samplings}
    assert len(OFFICIAL) == 22 + 5 + 8


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("R_50_FPN_s1x", "densepose_rcnn_R_50_FPN_s1x/165712039/model_final_162be9.pkl"),
        (
            "R_50_FPN_DL_WC1M_3x_Atop10P_CA_B_uv",
            "evolution/densepose_R_50_FPN_DL_WC1M_3x_Atop10P_CA_B_uv/256452095/model_final_d689e2.pkl",
        ),
        (
            "CSE_R_101_FPN_DL_soft_s1x",
            "cse/densepose_rcnn_R_101_FPN_DL_soft_s1x/250713061/model_final_1d3314.pkl",
        ),
    ],
)
def test_addresses(name, place):
    assert address_of(name) == f"https://dl.fbaipublicfiles.com/densepose/{place}"
    assert len({address_of(name) for name in OFFICIAL}) == len(OFFICIAL)


def test_entries_are_plausible():
    for model in OFFICIAL.values():
        assert len(model.digits) == 6 and int(model.digits, 16) >= 0
        assert (15 if model.kind == "chimpanzees" else 50) < model.ap_gps < model.ap_gpsm < 70
        assert model.licence.startswith("not stated" if model.kind == "embeddings" else "CC BY-SA 3.0")
        assert model.sha256 is None or len(bytes.fromhex(model.sha256)) == 32


def test_a_file_is_known_by_the_digits_at_the_end_of_its_name():
    chimpanzees = OFFICIAL["R_50_FPN_DL_WC1M_3x_Atop10P_CA"]
    for name in ("model_final_9fe1cc.pkl", "somewhere/R_50_FPN_DL_WC1M_3x_Atop10P_CA_9fe1cc.pkl"):
        assert official_of_file(name) is chimpanzees and chimpanzees.aligned_boxes
    assert not official_of_file("model_final_162be9.pkl").aligned_boxes
    for name in ("model_final.pkl", "9fe1cc_mine.pkl", "model_final_9fe1cd.pkl"):
        assert official_of_file(name) is None
    assert len({model.digits for model in OFFICIAL.values()}) == len(OFFICIAL)
