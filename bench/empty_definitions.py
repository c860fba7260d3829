"""Three assets in a chain that do nothing."""

import dagster as dg


@dg.asset
def first() -> None: ...


@dg.asset(deps=[first])
def second() -> None: ...


@dg.asset(deps=[second])
def third() -> None: ...


defs = dg.Definitions(assets=[first, second, third])
