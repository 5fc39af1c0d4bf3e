"""Reading a source: the frontier, the key, the drift check and the delta of a view, a table or a collection.

`extract/mongo/` reads the change stream and its topic. A load and a reconciliation read their sources through it.
Imports erasure, feeds and the layers below.
"""
