"""The local stack: every server of the design on 127.0.0.1, without containers, from package registries only."""
