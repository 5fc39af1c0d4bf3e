"""One mart a file: ``read`` names what is read, ``transform`` is pure and ends in a select of every output column.

Writing is the same for all marts (`promptsales.marts.publish`), and so it is not said twelve times.
"""
