"""Types of the arrays that Warp kernels take, by element; a number at the end is the number of dimensions, else 1.

Warp reads an annotation as an object of its own, which no type checker takes for a type: hence `Any`.
"""

from typing import Any

import warp as wp

Bytes: Any = wp.array(dtype=wp.uint8)
Bytes2: Any = wp.array(dtype=wp.uint8, ndim=2)
Bytes3: Any = wp.array(dtype=wp.uint8, ndim=3)
Bytes4: Any = wp.array(dtype=wp.uint8, ndim=4)
Ints: Any = wp.array(dtype=wp.int32)
Ints2: Any = wp.array(dtype=wp.int32, ndim=2)
Ints3: Any = wp.array(dtype=wp.int32, ndim=3)
Longs: Any = wp.array(dtype=wp.int64)
Floats: Any = wp.array(dtype=wp.float32)
Floats2: Any = wp.array(dtype=wp.float32, ndim=2)
Vec2s: Any = wp.array(dtype=wp.vec2)
Vec3s: Any = wp.array(dtype=wp.vec3)
Vec3s2: Any = wp.array(dtype=wp.vec3, ndim=2)
Vec3is: Any = wp.array(dtype=wp.vec3i)
Mat44s: Any = wp.array(dtype=wp.mat44)
