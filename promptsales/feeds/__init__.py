"""What every load of a feed shares: its state, its staging table, its quarantine and the models its steps exchange."""
