"""Data sources, by what they read; each module lists its own in `SOURCES`."""
