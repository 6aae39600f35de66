"""From a file of rows to a sealed data set, and from one version or key of it to the next."""
