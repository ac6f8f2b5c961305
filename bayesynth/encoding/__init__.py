"""A frame to labelled arrays and back: codecs per kind, missingness blocks, parent features."""
