"""The privacy commands: rotate the hashing key, find the rows of a person, erase a person."""
