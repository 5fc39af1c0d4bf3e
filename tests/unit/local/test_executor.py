"""The modules that Airflow's executor imports before it forks: importing them reads no file that may change later."""

import subprocess
import sys

_PROGRAM = """
from importlib import import_module
from local.executor import MODULES
for name in MODULES:
    import_module(name)
from promptsales.specs.feed import contracts
from promptsales.specs.mart import catalogue
from promptsales.settings import settings
print([read.cache_info().currsize for read in (contracts, catalogue, settings)])
"""


def test_no_contract_and_no_setting_is_read_before_a_task_starts() -> None:
    result = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert result.stdout.strip().splitlines()[-1] == "[0, 0, 0]"
