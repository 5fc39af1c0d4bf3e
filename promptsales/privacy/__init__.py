"""What a person may ask for: another hashing key, and to be forgotten."""
