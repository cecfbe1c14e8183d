"""Process A of the local cloud: ministack under uvicorn, with our providers, fixes, durability and faults."""
