"""Money: issuing, closing orders, refunds and statements."""
