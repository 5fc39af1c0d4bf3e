"""Reading MongoDB: the change stream, the topic it is drained to, and documents as rows.

The reader of feeds whose contract says `path: change_stream`.
Imports what `extract` may import, and nothing of `extract` itself.
"""
