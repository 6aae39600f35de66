"""Registration: cases, their clocks, certificates' codes, and what the register says of an asset."""
