"""Restores tables aside, compares them with the live tables, and copies back what is missing."""
