"""DensePose-FCN and what is trained on crops with the same parts: the distillation teacher, the crop labeller."""

__all__: list[str] = []
