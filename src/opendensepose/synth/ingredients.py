"""The ingredients of variety; each can be disabled, so that its worth can be measured."""

from dataclasses import dataclass, fields
from typing import ClassVar

__all__ = ["Ingredients"]


@dataclass(frozen=True)
class Ingredients:
    """Which kinds of variety a rendered picture may have; all are enabled by default.

    A disabled ingredient draws no random numbers: a seed's other ingredients stay the same.
    """

    SINCE_VERSION_1: ClassVar[tuple[str, ...]] = (
        "panoramas",
        "contact_shadows",
        "wardrobe",
        "hard_negatives",
        "photos_held_out",
        "faces",
        "crowds",
        "props",
        "more_poses",
    )

    shapes: bool = True  # Anny's whole phenotype range; off: the neutral adult
    poses: bool = True  # off: the rest pose
    skin_tones: bool = True
    garments: bool = True
    loose_garments: bool = True  # off: clothes lie within 6 mm of the skin
    skirts: bool = True
    textures: bool = True
    prints: bool = True
    hair: bool = True
    hats: bool = True
    shoes: bool = True
    bags: bool = True
    lights: bool = True  # off: one frontal light
    shadows: bool = True
    other_people: bool = True  # bystanders in portraits
    occluders: bool = True
    truncation: bool = True
    cameras: bool = True  # off: level camera in front at 4 m
    backgrounds: bool = True  # off: mid grey
    sensor: bool = True
    panoramas: bool = True  # light and background from photographed panoramas, if they were fetched
    contact_shadows: bool = True  # the floor is darker under what touches it
    wardrobe: bool = True  # MakeHuman's garments, hair and skins, if they were fetched
    hard_negatives: bool = True  # clothes without a body, mannequins, animals
    photos_held_out: bool = True  # backgrounds use no photo of HELD_OUT_PHOTOS
    faces: bool = True  # individual faces and facial expressions
    crowds: bool = True  # people close together, before and behind each other
    props: bool = True  # what people hold, sit on, lean on and stand behind
    more_poses: bool = True  # further families of poses, close-ups, babies, hands in pockets, hair in front

    @classmethod
    def version_1(cls) -> "Ingredients":
        """Enable what the renderer of version 0.1 had: the pictures of the benchmark's version 1."""
        return cls(**{name: False for name in cls.SINCE_VERSION_1})

    @classmethod
    def none(cls) -> "Ingredients":
        """Disable everything: a naked neutral body at rest on grey."""
        return cls(**{f.name: False for f in fields(cls)})
