"""Records of the format, made of Arrow batches."""
