"""The files for dbt projects hold every mart, and are up to date."""

import yaml

from promptsales.marts import dbt
from promptsales.specs.mart import catalogue


def test_the_files_are_up_to_date() -> None:
    written = {name: (dbt.FOLDER / name).read_text(encoding="utf-8") for name in dbt.files()}
    assert written == dbt.files(), "run `promptsales docs`"


def test_every_mart_is_a_source_and_every_exposure_names_sources() -> None:
    sources, exposures = (yaml.safe_load(dbt.files()[name]) for name in ("sources.yml", "exposures.yml"))
    (source,) = sources["sources"]
    tables = {table["name"]: [column["name"] for column in table["columns"]] for table in source["tables"]}
    assert tables == {name: list(mart.column_names) for name, mart in catalogue().items()}
    known = {f"source('promptsales', '{name}')" for name in tables}
    named = {item for exposure in exposures["exposures"] for item in exposure["depends_on"]}
    assert named - known == set()
    pacing = next(exposure for exposure in exposures["exposures"] if exposure["name"] == "promptsales_pacing")
    assert pacing["depends_on"] == ["source('promptsales', 'campaign_pacing_daily')"]
    assert len({exposure["name"] for exposure in exposures["exposures"]}) == 10
