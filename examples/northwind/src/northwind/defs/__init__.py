"""One module or folder for each part."""
