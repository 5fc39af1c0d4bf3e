"""The parts that the DAG files share: task defaults, assets, connections, and the tasks themselves."""
