"""Networks for other runtimes than torch: ONNX, OpenVINO, TorchScript."""

from opendensepose.export.export import FORMATS, export_lite_int8, export_lite_onnx, export_model

__all__ = ["FORMATS", "export_lite_int8", "export_lite_onnx", "export_model"]
