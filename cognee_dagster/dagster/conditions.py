"""Automation conditions: push when the graph has changed, and follow an import when it is finished."""

from typing import Any

import dagster as dg

_REMOTE_GRAPHS = 'key:"*remote_graph"'  # of all chains, with dataset_in_names, too
_Condition = dg.AutomationCondition[Any]


def push_when_changed() -> _Condition:
    """For ``remote_push`` and ``cogx_archive``: once for every new data version of what they are made of.

    A materialization or observation of the graph that finds the same content asks for nothing. What was never made is
    asked for as soon as there is a graph. A run that failed is not asked for again before the next change.
    """
    condition = dg.AutomationCondition
    of_another_run = condition.data_version_changed() & ~condition.executed_with_root_target()
    changed = condition.any_deps_match(of_another_run | condition.will_be_requested()).with_label("graph changed")
    handled = condition.newly_requested() | condition.newly_updated()
    asked: Any = (
        (condition.newly_missing() | changed).since(handled)
        & ~condition.any_deps_missing()
        & ~condition.any_deps_in_progress()
        & ~condition.in_progress()
    )
    return asked.with_label("push_when_changed")  # type: ignore[no-any-return]


def require_imported() -> _Condition:
    """For what depends on ``remote_graph``: not before an import is finished, nor while a newer push's is under way.

    Nor while one of its checks fails, as ``remote_import_succeeded`` does after a push that failed. Add it to the
    condition that says when: ``AutomationCondition.eager() & require_imported()``. A push that began before the
    automation's first evaluation is not known to be under way.
    """
    condition = dg.AutomationCondition
    under_way = condition.any_deps_updated().since(condition.newly_updated()).with_label("import under way")
    fails = condition.any_checks_match(condition.check_failed()).with_label("check failed")
    required: Any = (
        ~condition.any_deps_missing()
        & ~condition.any_deps_match(under_way)
        & ~condition.any_deps_match(fails).allow(dg.AssetSelection.from_string(_REMOTE_GRAPHS))
    )
    return required.with_label("require_imported")  # type: ignore[no-any-return]
