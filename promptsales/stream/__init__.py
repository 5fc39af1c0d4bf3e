"""The path of an event into core (decode, judge, apply in one transaction), and the checks that watch over it.

All of streaming that does not need Faust: offsets, gaps, lag, completeness, dead letters, audits and recounts. Imports
extract, erasure, feeds and the layers below.
"""
