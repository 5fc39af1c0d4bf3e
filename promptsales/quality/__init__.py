"""Running a suite of rules: verdicts, their record in `ops.check_result`, and JUnit files.

It judges; its callers decide what follows.
Imports specs and the base modules.
"""
