"""The figures of `make bench`, a module for each section, and what they share; see ../README.md."""
