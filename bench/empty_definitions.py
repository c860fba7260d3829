"""Three assets in a chain that do nothing, with all steps in one process."""

import dagster as dg


@dg.asset
def first() -> None: ...


@dg.asset(deps=[first])
def second() -> None: ...


@dg.asset(deps=[second])
def third() -> None: ...


defs = dg.Definitions(assets=[first, second, third], executor=dg.in_process_executor)
