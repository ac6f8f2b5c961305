"""The one door for randomness: seeds come in as one argument and leave as independent generators."""

from __future__ import annotations

import zlib

import numpy as np

from bayesynth.errors import InputError, Problem

Seed = int | np.random.SeedSequence | np.random.Generator | None


def as_generator(random_seed: Seed) -> np.random.Generator:
    """Turn any accepted seed into a generator.

    Parameters
    ----------
    random_seed : int, SeedSequence, Generator or None
        Equal integers give equal generators, and so does one SeedSequence each time. A Generator is used as it is (and
        advances); None takes fresh entropy.

    Raises
    ------
    InputError
        If the seed is of another type, or a negative integer.
    """
    if isinstance(random_seed, np.random.Generator):
        return random_seed
    if isinstance(random_seed, np.random.SeedSequence):
        # A sequence remembers its children: without a copy, the second use of it would give something else.
        like = {"entropy": random_seed.entropy, "spawn_key": random_seed.spawn_key, "pool_size": random_seed.pool_size}
        return np.random.default_rng(np.random.SeedSequence(**like))
    if random_seed is None:
        return np.random.default_rng(None)
    if isinstance(random_seed, (int, np.integer)) and not isinstance(random_seed, bool) and random_seed >= 0:
        return np.random.default_rng(int(random_seed))
    raise InputError(
        Problem(
            f"random_seed is {random_seed!r}",
            "a seed is a whole number of at least 0, a numpy SeedSequence, a numpy Generator or None",
            "pass random_seed=1, for example",
        )
    )


def spawn(random_seed: Seed, n: int) -> list[np.random.Generator]:
    """Make n independent generators from one seed, one for each stage, so that a change in one leaves the others."""
    return as_generator(random_seed).spawn(n)


def stream_of(generator: np.random.Generator, name: str) -> np.random.Generator:
    """Make the generator of a name: it depends on the seed and the name alone, and the given one does not advance."""
    sequence = generator.bit_generator.seed_seq
    key = (*sequence.spawn_key, zlib.crc32(name.encode()), len(name))
    return np.random.default_rng(np.random.SeedSequence(sequence.entropy, spawn_key=key, pool_size=sequence.pool_size))


def origin_of(generator: np.random.Generator) -> dict[str, object]:
    """Write down where a spawned generator comes from, so that `SeedSequence(**origin)` begins its stream anew."""
    sequence = generator.bit_generator.seed_seq
    entropy = sequence.entropy
    return {
        "entropy": entropy if isinstance(entropy, int) else [int(word) for word in entropy],
        "spawn_key": [int(key) for key in sequence.spawn_key],
        "pool_size": int(sequence.pool_size),
    }


def whole_seed(generator: np.random.Generator) -> int:
    """One 31-bit whole number from a generator, for engines that take nothing else."""
    return int(generator.integers(2**31 - 1))
