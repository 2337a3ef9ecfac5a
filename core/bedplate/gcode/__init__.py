"""Reading G-code: words, files by offset, slicer metadata, layers, analysis."""
