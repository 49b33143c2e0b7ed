"""Guessing a first dialect from a sample document: what each of its names means, with a confidence and the reason."""
