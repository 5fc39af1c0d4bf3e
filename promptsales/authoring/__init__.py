"""Help authors of contracts: draft a contract from a live table, and report the effects of a change."""
