"""``promoted_from``: the automation condition of a target that gets what another one has confirmed."""

import dagster as dg


def promoted_from(target: str) -> dg.AutomationCondition[dg.AssetKey]:
    """A push as soon as another target of the dataset has confirmed an import.

    That is: its ``remote_graph`` was materialized since the last promotion, a check of it passed, and none fails. An
    import that fails, or is not complete, holds the promotion up until a later one succeeds.

    Args:
        target: The other target's name, as in ``promote_from`` of the ``RemoteTarget`` that this is the condition of.
    """
    return _when_confirmed(dg.AssetSelection.from_string(f'key:"*/{target}/remote_graph"'), target)


def promoted_from_asset(
    condition: dg.AutomationCondition[dg.AssetKey], target: str, graph_key: dg.AssetKey
) -> dg.AutomationCondition[dg.AssetKey]:
    """A condition whose ``promoted_from(target)`` looks at this very asset, whatever a translator calls it."""
    exactly = _when_confirmed(dg.AssetSelection.assets(graph_key), target)
    changed: dg.AutomationCondition[dg.AssetKey] = condition.replace(promoted_from(target), exactly)
    return changed


def _when_confirmed(graph: dg.AssetSelection, target: str) -> dg.AutomationCondition[dg.AssetKey]:
    condition = dg.AutomationCondition
    is_fine = condition.any_checks_match(condition.check_passed()) & ~condition.any_checks_match(
        condition.check_failed()
    )
    materialized = condition.any_deps_match(condition.newly_updated()).allow(graph).since_last_handled()
    confirmed = condition.any_deps_match(is_fine).allow(graph)
    return (materialized & confirmed & ~condition.in_progress()).with_label(f"promoted_from({target!r})")
