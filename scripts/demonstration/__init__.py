"""The demonstration.

`flights` is the data, `truth` the plaintext beside each answer, `processes` and `cast` the parties, `narration` what is
printed, `acts` the order's way, `tampering` the last act.
"""
