"""One event on its way into core: decode, judge, apply in one transaction; and what watches over it.

All of streaming that needs no Faust: offsets, gaps, lag, completeness, dead letters, audits and recounts.
Imports extract, erasure, feeds and the layers below.
"""
