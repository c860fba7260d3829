"""The search for secrets in what Dagster keeps sees what is compressed."""

from pathlib import Path

import dagster as dg

from tests.run_storage import places_holding

KEY = "ck_planted_0123456789"


class Careless(dg.ConfigurableResource["Careless"]):
    """A resource whose key stands in the code, as a plain field."""

    api_key: str = KEY


@dg.op
def use(careless: Careless) -> None: ...


def test_a_key_in_a_jobs_snapshot_is_found_though_no_files_bytes_show_it(tmp_path: Path) -> None:
    @dg.job(resource_defs={"careless": Careless()})
    def careless_job() -> None:
        use()

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert careless_job.execute_in_process(instance=instance).success
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert any(place.endswith(": snapshots") for place in places_holding(KEY, tmp_path))
    assert places_holding("ck_another_0123456789", tmp_path) == []
