"""Athena's statements: what a text asks for (`model`, `grammar`), and what each one does."""
