"""Mutation testing: break one rule of the code at a time, and see whether a test notices."""
