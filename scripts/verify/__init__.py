"""The proof repeated with real parts, a tier a module; `make verify`."""
