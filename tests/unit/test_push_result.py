"""What a push hands back."""

from cognee_dagster import PushResult


def test_the_repr_of_a_result_does_not_repeat_the_whole_answer() -> None:
    answer = {"items": [{"kind": "migration_import"}] * 1000}
    result = PushResult("completed", "local", "remote", 1, 2, answer, "run")
    assert "migration_import" not in repr(result)
    assert "pipeline_run_id='run'" in repr(result)
    assert result.remote_response is answer
