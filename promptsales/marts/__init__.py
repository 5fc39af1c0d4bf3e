"""The marts: what each is made of, when it must be built anew, how it is checked and published."""
