"""The emulator process: ministack under uvicorn, with our providers, patches, state on disk and faults."""
