"""What banks and holders say about money that leaves the market."""
