"""What the DAG files are made of: task defaults, assets, connections, the group of tasks that loads a feed."""
