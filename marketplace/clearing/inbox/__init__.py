"""What sellers hand in to clear many orders together."""
