"""Weights that a ResNet begins with: torchvision's compute what they do there, and what does not fit is told."""

import pytest
import torch
from torchvision.models import resnet18, resnet50
from torchvision.transforms.functional import normalize

from opendensepose.models.checkpoints import resnet_weights
from opendensepose.models.checkpoints.checkpoint import save_checkpoint
from opendensepose.models.checkpoints.resnet_weights import begin_resnet, fetch_imagenet
from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite
from opendensepose.models.fcn.densepose_fcn import FCN
from opendensepose.models.image_batch import image_batch
from opendensepose.models.resnet import ResNet

THIN = {"depth": 18, "norm": "batch", "width": 8, "channels": 32}


def torchvision_file(path, build=resnet18):
    torch.manual_seed(0)
    model = build()
    for name, tensor in model.state_dict().items():
        if "running" in name:
            tensor.copy_(0.5 + torch.rand(tensor.shape))
    torch.save(model.state_dict(), path)
    return model.eval()


@pytest.mark.parametrize("build, depth", [(resnet18, 18), (resnet50, 50)])
@pytest.mark.parametrize("norm", ["batch", "frozen"])
def test_torchvisions_weights_compute_on_our_images_what_they_do_there(build, depth, norm, tmp_path):
    theirs = torchvision_file(tmp_path / "resnet.pth", build)
    ours = ResNet(depth, norm, stride_in_1x1=False)
    begin_resnet(ours, tmp_path / "resnet.pth")
    photo = torch.randint(0, 256, (3, 64, 96)).float()
    with torch.no_grad():
        features = ours.eval()(image_batch([photo], ours.stem.conv1.weight))
        x = normalize(photo / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))[None]
        x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(x))))
        for stage, found in zip((theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4), features, strict=True):
            x = stage(x)
            torch.testing.assert_close(found, x, rtol=1e-3, atol=1e-3 * x.std().item())


@pytest.mark.parametrize("name", ["resnet.pth", "resnet.tar", "resnet"])
def test_files_from_before_torch_wrote_zip_files_are_read(name, tmp_path):
    """Some of torchvision's files are so old."""
    state = resnet18().state_dict()
    torch.save(state, tmp_path / name, _use_new_zipfile_serialization=False)
    ours = ResNet(18, "frozen", stride_in_1x1=False)
    begin_resnet(ours, tmp_path / name)
    assert torch.equal(ours.res2[0].conv1.weight, state["layer1.0.conv1.weight"])


class RunsWhenRead:
    def __reduce__(self):
        return print, ("it ran",)


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("what", ["whole module", "code", "list", "half a file"])
def test_other_content_of_either_form_is_refused_and_not_run(what, is_zip, tmp_path, capsys):
    path = tmp_path / "other.pth"
    content = {"whole module": resnet18(), "code": {"fc.weight": RunsWhenRead()}, "list": [torch.zeros(2)]}
    torch.save(content.get(what, resnet18().state_dict()), path, _use_new_zipfile_serialization=is_zip)
    if what == "half a file":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"other\.pth must hold the tensors of torchvision's ResNet by name"):
        begin_resnet(ResNet(18, "frozen", stride_in_1x1=False), path)
    assert "it ran" not in capsys.readouterr().out


def test_the_resnet_of_one_network_begins_another(tmp_path):
    one, other = FCN(**THIN), ResNet(18, "batch", stride_in_1x1=False, width=8)
    save_checkpoint(tmp_path / "fcn.safetensors", one, "fcn", THIN)
    begin_resnet(other, tmp_path / "fcn.safetensors")
    for name, tensor in one.resnet.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


@pytest.mark.parametrize("depth, width", [(34, 64), (18, 32)])
def test_another_depth_or_width_is_refused_and_nothing_changed(depth, width, tmp_path):
    torchvision_file(tmp_path / "resnet.pth")
    network = ResNet(depth, "batch", stride_in_1x1=False, width=width)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(ValueError, match=r"has not the depth, width or norm"):
        begin_resnet(network, tmp_path / "resnet.pth")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_files_and_networks_without_a_resnet_are_refused(tmp_path):
    network = ResNet(18, "batch")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*gone\.pth"):
        begin_resnet(network, tmp_path / "gone.pth")
    (tmp_path / "damaged.pth").write_bytes(b"nothing")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    for name in ("damaged", "other"):
        with pytest.raises(ValueError, match=rf"{name}\.pth must hold the tensors of torchvision's"):
            begin_resnet(network, tmp_path / f"{name}.pth")
    with pytest.raises(ValueError, match="has no ResNet"):
        begin_resnet(torch.nn.Linear(1, 1), tmp_path / "other.pth")


def test_imagenets_file_is_fetched_once_by_depth_and_checked(tmp_path, monkeypatch):
    asked = []

    def download(address, path, sha256):
        asked.append((address.rpartition("/")[2], sha256))
        path.parent.mkdir(parents=True, exist_ok=True)
        torchvision_file(path)

    monkeypatch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(resnet_weights, "download", download)
    for _ in range(2):
        begin_resnet(ResNet(18, "batch"), "imagenet")
    ((name, start),) = asked
    assert name.startswith("resnet18-") and len(start) == 8 and f"-{start}." in name
    with pytest.raises(ValueError, match="begin with 64 channels, this one has 48"):
        fetch_imagenet(ResNet(18, "batch", width=48))


def test_without_a_network_the_file_to_fetch_by_hand_is_named(tmp_path, monkeypatch):
    def download(address, path, sha256):
        raise OSError("no connection: refused")

    monkeypatch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path))
    monkeypatch.setattr(resnet_weights, "download", download)
    with pytest.raises(
        OSError, match=r"could not be downloaded \(no connection.*resnet50-\w+\.pth by hand.*--backbone"
    ):
        fetch_imagenet(ResNet(50, "batch"))


def test_the_default_network_has_none(tmp_path):
    torchvision_file(tmp_path / "resnet.pth")
    with torch.device("meta"):
        network = DensePoseLite()
    with pytest.raises(ValueError, match="a DensePoseLite has no ResNet"):
        begin_resnet(network, tmp_path / "resnet.pth")
