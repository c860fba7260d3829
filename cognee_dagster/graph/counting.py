"""Counts in words: "1 edge", "2 edges"."""


def counted(number: int, singular: str) -> str:
    """The number, with separators, and its noun in the right form.

    Args:
        number: How many.
        singular: A noun whose plural ends in "s".
    """
    return f"{number:,} {singular}" if number == 1 else f"{number:,} {singular}s"
