"""Memory, streams and events for programs of PyCUDA, where there is no such package: see the package `cuda` beside it."""
VERSION = (2024, 1)
VERSION_TEXT = "2024.1"
