"""Outcome models that do not leak: outcome table, features before the index date, audit, honest report card."""
