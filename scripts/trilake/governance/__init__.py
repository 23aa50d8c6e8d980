"""Governance: who may see which rows and columns, shown before and after anything is deployed. Touches no data."""
