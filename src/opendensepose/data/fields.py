"""Fields of a JSON entry as numbers, or an error that names the field and what is wrong with it."""

from typing import Any

import numpy as np

__all__ = ["as_numbers", "is_finite", "number", "numbers", "whole_numbers"]

_NUMBER_TYPES = {int, float}
_LARGEST = 1e15  # pixels and indices of any file are smaller, and products of such numbers don't overflow


def as_numbers(value: Any) -> np.ndarray | None:
    """Convert a list of JSON numbers to (N,) float64, NaN and Infinity included; None if it is anything else."""
    if not isinstance(value, list | tuple) or not set(map(type, value)) <= _NUMBER_TYPES:
        return None
    try:
        return np.array(value, np.float64)
    except OverflowError:  # a whole number of more than 308 digits
        return np.array([entry if abs(entry) <= _LARGEST else np.inf for entry in value], np.float64)


def is_finite(values: np.ndarray) -> np.ndarray:
    """Tell whether numbers are finite and at most 1e15 in size."""
    return abs(values) <= _LARGEST


def numbers(
    entry: dict, name: str, length: int | None = None, least: float = -np.inf, most: float = np.inf
) -> np.ndarray:
    """Read a field's list of finite numbers, (N,) float64. ValueError unless length and range are these."""
    if name not in entry:
        raise ValueError(f"{name} is missing.")
    values = as_numbers(entry[name])
    if values is None:
        raise ValueError(f"{name} must be a list of numbers.")
    if length is not None and len(values) != length:
        raise ValueError(f"{name} must hold {length} numbers, got {len(values)}.")
    wrong = np.flatnonzero(~(is_finite(values) & (values >= least) & (values <= most)))
    if wrong.size:
        expected = "a finite number" if np.isinf(least) else f"in [{least:g}, {most:g}]"
        raise ValueError(f"{name}: number {wrong[0]} must be {expected}, got {values[wrong[0]]:g}.")
    return values


def whole_numbers(entry: dict, name: str, length: int, least: float, most: float) -> np.ndarray:
    """Read a field's list of whole numbers, (N,) int64, also if written as 3.0. ValueError as `numbers` says."""
    values = numbers(entry, name, length, least, most)
    broken = np.flatnonzero(values % 1)
    if broken.size:
        raise ValueError(f"{name}: number {broken[0]} must be whole, got {values[broken[0]]:g}.")
    return values.astype(np.int64)


def number(entry: dict, name: str, default: float | None = None) -> float:
    """Read a field's finite number. ValueError if it is not one, or missing without a default."""
    value = entry.get(name, default)
    if not (type(value) is int or type(value) is float) or not abs(value) <= _LARGEST:
        raise ValueError(f"{name} must be a finite number, got {value!r}." if name in entry else f"{name} is missing.")
    return float(value)
