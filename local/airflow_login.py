"""How Airflow's processes log in to their database; Airflow imports this by its name, before anything of its own."""

from promptsales.connections import SCRAM

# psycopg2's; asyncpg, which Airflow's API server uses too, has no such option
CONNECT_ARGS = {"require_auth": SCRAM}
