"""The errors of the drivers as ours, a module for each driver: transient or terminal by class and code.

Their texts may quote a row, a document or an address, so a message holds the class or code, where it happened and what
to do. PostgreSQL's are in ``promptsales.errors``. A process imports the modules of the drivers that it uses.
"""
