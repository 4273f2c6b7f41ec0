"""What the fulfilment decides: pure, so that each rule is tested without a database, a shop or a warehouse."""
