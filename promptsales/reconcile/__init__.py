"""Source against warehouse: what no watermark sees (hard deletes, disabled triggers, restores) is found and mended."""
