"""Operations: the verbs that move data through every room: ingest, ledger, replay, views, query."""
