"""Erases one person, and repeats erasures after a restore."""
