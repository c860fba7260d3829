"""What is made of an import whose answer never came: which run it is, and what it has come to."""
