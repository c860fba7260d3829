"""How deep a value is nested: deeper ones than Python can follow are refused."""


def nesting(value: object) -> int:
    """How many lists and objects are within each other, this one included."""
    depth = 0
    level = [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
