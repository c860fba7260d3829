"""Bare Dagster: plain assets in 200 chains of three, and, as BARE_WITH names it, more of what our chains have, too."""

import os
from collections.abc import Iterator

import dagster as dg

CHAINS = 200
_more = os.environ.get("BARE_WITH", "").split()


def _chain(number: int) -> Iterator[dg.AssetsDefinition]:
    before: list[dg.AssetKey] = []
    for name in ("first", "second", "third"):

        @dg.asset(key=[f"chain_{number}", name], group_name=f"chain_{number}", deps=before)
        def step() -> None: ...

        before = [step.key]
        yield step


def _external(number: int) -> dg.AssetSpec:
    return dg.AssetSpec([f"chain_{number}", "fourth"], group_name=f"chain_{number}", deps=[f"chain_{number}/third"])


def _check(number: int) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=[f"chain_{number}", "fourth"], name="arrived")
    def check() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    return check


defs = dg.Definitions(
    assets=[
        *(step for number in range(CHAINS) for step in _chain(number)),
        *(_external(number) for number in range(CHAINS) if "checks" in _more),
    ],
    asset_checks=[_check(number) for number in range(CHAINS) if "checks" in _more],
    jobs=[dg.define_asset_job("everything", selection=dg.AssetSelection.all())] if "job" in _more else [],
)
