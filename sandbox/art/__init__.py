"""The parts of a picture: its size, sceneries, styles, lettering, and the mark that says where it comes
from."""
