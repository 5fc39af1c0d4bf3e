"""A typed client of Airflow's REST API, and the connections and pools it registers there."""
