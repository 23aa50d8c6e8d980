"""HealthOmics as a second home of the store, for accounts that have it: `backend` is the way in."""
