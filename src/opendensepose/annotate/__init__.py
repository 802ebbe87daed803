"""The annotation tool: from 2D pixels to the 3D surface by clicking on six views."""

__all__ = []
