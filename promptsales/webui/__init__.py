"""The Warehouse page inside Airflow: how fresh the tables are, what is in quarantine, which checks failed, the stream.

Server-rendered pages of a FastAPI app, which `plugins/warehouse_page.py` mounts into Airflow's API server.
Imports every layer below the edges.
"""
