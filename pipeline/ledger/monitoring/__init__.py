"""What the ledger keeps of silences: hours in which hooks came, expectations, alarms, canaries and notices."""
