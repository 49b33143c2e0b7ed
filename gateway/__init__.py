"""Readmission Gateway: checks, guards, translates, signs, carries, proves and counts readmission messages."""

__version__ = "0.1.0"
