"""Drafting a dialect: mapping, schema and code lists written from a vocabulary, or guessed from a sample."""
