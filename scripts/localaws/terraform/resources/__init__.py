"""Resource types, one module per service; each lists what it makes in `TYPES`."""
