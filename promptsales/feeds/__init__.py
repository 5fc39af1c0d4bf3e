"""What extract, load, erasure and reconcile share about a feed: its state, its staging table and its quarantine.

The state holds the watermark, the fence and how far the feed is complete.
Imports quality and the layers below.
"""
