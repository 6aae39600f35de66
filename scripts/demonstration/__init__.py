"""The demonstration: `flights` the data, `processes` the parties, `narration` what is printed, `acts` the order's way, `tampering` the last act."""
