"""Compare sources with the warehouse, and repair what no watermark sees: hard deletes, disabled triggers, restores."""
