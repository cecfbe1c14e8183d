"""The registered APIs: how registrations change them, and how they are stored."""
