"""What the YAML files of `warehouse/` and `schemas/` say, as frozen models.

Every other folder asks here what a table, a column or a rule is.
Imports the base modules.
"""
