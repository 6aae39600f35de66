"""What a key holder keeps on disk: keys and halves of keys, the privacy account, their copies."""
