"""One module per mart: ``read`` returns the inputs, ``transform`` is pure and ends in a select of every output column.

Writing is the same for all marts and is in `promptsales.marts.filling`.
"""
