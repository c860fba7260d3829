"""The machine below: files that appear whole, child processes that end with their parent."""
