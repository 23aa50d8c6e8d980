"""Random SQL: tables to ask, a grammar of expressions, shapes of queries, and a shrinker."""
