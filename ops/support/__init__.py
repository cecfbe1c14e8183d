"""Actions of operators on a deployed environment. Each requires a reason, and writes audit lines."""
