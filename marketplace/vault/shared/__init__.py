"""What the commands of `marketplace vault` share."""
