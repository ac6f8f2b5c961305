"""The one door to BLAS threads: small products run faster on one thread than on several that wait for one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep linear algebra on one thread while the families of a table, all of them small, are scored and fitted."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
