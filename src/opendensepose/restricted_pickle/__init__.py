"""Pickles read without running what they hold, and torch's files read and written without torch."""

from opendensepose.restricted_pickle.reader import Record, load_restricted
from opendensepose.restricted_pickle.torch_file import load_torch, torch_bytes

__all__ = ["Record", "load_restricted", "load_torch", "torch_bytes"]
