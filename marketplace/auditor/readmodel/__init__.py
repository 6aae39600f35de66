"""Step 6: the read model as the derived events make it, and the bundle's rows held against it."""
