"""What people and alerts look at: doctor and its findings, freshness, lag, latency and checks of feeds.

It reads the state of every other folder and changes nothing.
Imports every layer below the edges.
"""
