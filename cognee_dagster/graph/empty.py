"""What is said of a graph without nodes, which no push sends."""


def empty_graph(dataset_name: str, *, is_of_cognee: bool) -> str:
    """What is wrong, and what to do about it.

    Args:
        dataset_name: What the dataset is called.
        is_of_cognee: Whether it is a local Cognee dataset, and not a graph that somebody else built.
    """
    advice = (
        "Run cognee.cognify() (or cognee.remember()) on it first to build its knowledge graph."
        if is_of_cognee
        else "Look into the file, the folder or the object that the graph is read from: it may hold a header alone, or "
        "be another one than is meant."
    )
    return f"Dataset {dataset_name!r} has 0 nodes: there is nothing to push. {advice}"
