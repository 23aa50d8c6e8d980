"""The lines of common form, read column by column: `lines.vectorised` is the way in, the others are its steps."""
