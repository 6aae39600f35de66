"""What a supplier does with keys besides sealing and answering: docs/security/keys.md has each with what it prints."""
