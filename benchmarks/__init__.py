"""Every figure that the project claims, each from `python -m benchmarks.NAME`."""
