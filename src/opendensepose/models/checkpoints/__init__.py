"""Files of weights: ours, detectron2's, torchvision's; downloaded, checked, read without running code."""

__all__: list[str] = []
