"""Prediction as a service: `opendensepose serve`. No torch is needed for the default model."""

__all__: list[str] = []
