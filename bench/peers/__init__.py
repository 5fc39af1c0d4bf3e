"""Compare our load of leads with dlt, sling and ingestr: ``python -m bench.peers`` measures, ``--help`` has options."""
