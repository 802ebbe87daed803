"""What other tools read and write: a module per format, `FORMATS` names them all. No torch is needed."""

from opendensepose.formats.convert import Conversion, convert_files, format_of, read_labels
from opendensepose.formats.labelled_photo import LabelledPhoto, drop_unsure, photo_finder, select_people
from opendensepose.formats.output_folder import OutputFolder
from opendensepose.formats.part_maps import STYLES, PartMapStyle, draw_part_map
from opendensepose.formats.table import FORMATS, Content, Format, find_formats

__all__ = [
    "FORMATS",
    "STYLES",
    "Content",
    "Conversion",
    "Format",
    "LabelledPhoto",
    "OutputFolder",
    "PartMapStyle",
    "convert_files",
    "draw_part_map",
    "drop_unsure",
    "find_formats",
    "format_of",
    "photo_finder",
    "read_labels",
    "select_people",
]
