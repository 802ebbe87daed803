"""Starting the server: the name that a proxy gives it, the model loaded when it is needed."""

from opendensepose import predict
from opendensepose.annotate.server import serve
from opendensepose.annotate.server.serve import LazyPredictor


def test_the_host_of_an_address():
    assert serve._name_in("https://Annotate.example.org:444/") == "annotate.example.org"
    assert serve._name_in("http://[fd00::1]:8765") == "[fd00::1]"


def test_the_model_is_loaded_at_the_first_use_only(monkeypatch):
    loaded = []
    monkeypatch.setattr(
        predict, "Predictor", lambda model: loaded.append(model) or (lambda image, boxes: (image, boxes))
    )
    predictor = LazyPredictor()
    assert not loaded
    assert predictor("photo", "boxes") == ("photo", "boxes") and predictor("photo") == ("photo", None)
    assert loaded == ["default"]
