"""What DAG files are built from: task defaults, assets, alerts, connections and groups of tasks.

An edge: it may import every folder of the library and the Spark jobs, never the local stack.
"""
