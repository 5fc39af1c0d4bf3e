"""Translate the drivers' errors into ours, a module per driver: transient or terminal by class and code.

A driver's text may quote a row, a document or an address, so our message holds the class or code, the place and what to
do. PostgreSQL's errors are in ``promptsales.errors``. A process imports only the modules of the drivers that it uses.
"""
