"""Speed of Trilake, a module a room; `make bench`."""
