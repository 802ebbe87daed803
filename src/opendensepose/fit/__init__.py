"""A 3D body in a photo: camera, pose and shape of Anny's body found from the labels of a person's pixels."""

__all__: list[str] = []
