"""The COGX exchange format, version 0.1, as Cognee 1.6 writes and reads it."""
