"""The library of the pipeline and its command line; `docs/architecture.md` shows its layers.

The base modules lie beside this file: settings, errors, secrets, connections, names and the reader of YAML files.
They import nothing from the folders.
"""

__version__ = "0.2.0"
