"""Write the golden files anew: ``python -m tests.golden``. What changed shows in ``git diff tests/golden``."""

from tests.golden import FOLDER, render
from tests.golden.migrations import record_new

files = render()
for path in FOLDER.glob("*/*.sql"):
    if str(path.relative_to(FOLDER)) not in files:
        path.unlink()
for name, text in files.items():
    (FOLDER / name).parent.mkdir(exist_ok=True)
    (FOLDER / name).write_text(text, encoding="utf-8")
record_new()
