"""Sealed data: sums over columns that nobody but the key's owner can read, released one noisy number at a time.

The room, in the order in which data passes through it (import submodules by full name):

    parameters  the two allowed parameter sets ("profiles") and their fixed numbers
    headroom    the proof, before anything is computed, that a sum cannot wrap and that its release hides its error
    keys        the ternary secret key, in coefficient form
    columns     a column as chunks of N values; limbs for squares; rows sorted by group
    wire        our blob format: every foreign byte is checked here, before a native library sees it
    engine      the only module that knows SEAL: contexts, in-memory save and load, polynomials as numpy arrays
    cells       values -> blob (seal_chunk), blob -> chunk ready for evaluation (open_chunk)
    weights     public weights of cells as polynomials, made once for all columns and repeats of a question
    evaluate    chunks and a set of cells -> one sealed number (c0, c1), byte for byte the same on every machine
    noise       differential-privacy noise: integer discrete Laplace with an exact rational scale
    splitting   the key in two halves at two holders, each of which alone says nothing
    products    rows of a hidden category: ciphertext times ciphertext, one coefficient of it released
    headroom_products   the same proof for them
    pads        the second layout for sums: a keyed one-time pad whose ends a holder takes away again; no lattice
    pad_keys, pad_wire, pad_sums   its keys, its blobs, and sums over them in the open
    release     one share per number from the key's owner, and how the recipient puts the number together

The algebra. A chunk holds values m_0 .. m_{N-1} as the coefficients of one polynomial, encrypted with BFV under a
ternary s: c0 + c1*s = round(q*m/t) + e. Multiplying by the polynomial that has a 1 at N-1-j for every chosen cell j
puts the sum of the chosen values into coefficient N-1. A result is therefore (one residue of c0, the whole of c1); c1
alone says nothing about the data. The key's owner answers c1 with (s*c1)[N-1] + smudging + encode(noise); added to c0
it decodes to the sum plus noise.

Example:
    >>> from crypto.seal import cells, evaluate, keys, parameters, release
    >>> profile = parameters.profile("bfv-8192-cells-1")
    >>> key = keys.SealingKey.generate(profile)
    >>> chunk = cells.open_chunk(profile, cells.seal_chunk(key, [5, -2, 10]))
    >>> number = evaluate.evaluate_sum(profile, [chunk], [0, 1])
    >>> release.combine(profile, number.c0, release.release_share(key, number.c1, noise=0))
    3
"""
