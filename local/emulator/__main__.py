"""`python -m local.emulator`: start the emulator process."""

from __future__ import annotations

from local.emulator.settings import configure_ministack, parse_arguments


def main() -> None:
    """Configure ministack by environment, then import and serve it (its modules read the environment once)."""
    settings = parse_arguments()
    configure_ministack(settings)
    from local.emulator.launch import serve

    serve(settings)


if __name__ == "__main__":
    main()
