"""Print files: library, folders, metadata, print history, analysis."""
