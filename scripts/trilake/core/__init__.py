"""What every room stands on: settings, AWS sessions, errors, the contract, names in SQL, the command line."""
