"""Which packages the import of Great Expectations brings with it."""

import subprocess
import sys

CODE = """
import sys
import promptsales.quality.run
print([name for name in ("pyspark", "scipy.stats._stats_py", "altair.vegalite") if name in sys.modules])

from great_expectations.expectations.core.expect_column_kl_divergence_to_be_less_than import alt, stats
print(alt.Chart.__name__, round(stats.entropy([0.5, 0.5], base=2), 6))

import pyspark
print(pyspark.__name__, [type(finder) for finder in sys.meta_path if "promptsales" in type(finder).__module__])
"""


def test_spark_is_not_imported_for_checks_and_charts_and_statistics_only_when_they_are_used() -> None:
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == ["[]", "Chart 1.0", "pyspark []"]
