"""The table of official models."""

from opendensepose.models.checkpoints.official import OFFICIAL, address_of


def test_every_combination_is_there():
    wanted = {f"R_{depth}_FPN_s1x_legacy" for depth in (50, 101)}
    for depth in (50, 101):
        for head in ("", "DL_"):
            wanted |= {f"R_{depth}_FPN_{head}{kind}s1x" for kind in ("", "WC1_", "WC2_", "WC1M_", "WC2M_")}
    assert set(OFFICIAL) == wanted


def test_addresses():
    address = "https://dl.fbaipublicfiles.com/densepose/densepose_rcnn_R_50_FPN_s1x/165712039/model_final_162be9.pkl"
    assert address_of("R_50_FPN_s1x") == address
    assert len({address_of(name) for name in OFFICIAL}) == len(OFFICIAL)


def test_entries_are_plausible():
    for model in OFFICIAL.values():
        assert len(model.digits) == 6 and int(model.digits, 16) >= 0
        assert 50 < model.ap_gps < model.ap_gpsm < 70
        assert model.licence.startswith("CC BY-SA 3.0")
        assert model.sha256 is None or len(bytes.fromhex(model.sha256)) == 32
