"""The command line: one module per noun, each command a thin call of the library.

An edge: it may import every folder of the library, the local stack and the Spark jobs.
"""
