"""The one door for progress: a single bar for a whole job, saying what it is doing; silent when asked."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

Tell = Callable[[float], None]
"""Hears how much work is behind."""


def silent(done: float) -> None:
    """Tell nobody."""


class Progress:
    """A bar over a job whose steps are weighted by their expected cost.

    Parameters
    ----------
    total : float
        Sum of the weights of all steps.
    show : bool
        False makes every method a no-op.
    """

    def __init__(self, total: float, show: bool = True):
        self._bar = None
        if show:
            import warnings

            with warnings.catch_warnings():  # in Jupyter without ipywidgets, tqdm falls back on text, and says so
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm

            layout = "{l_bar}{bar}| {elapsed}<{remaining}"
            self._bar = tqdm(total=total, bar_format=layout, leave=False)

    def doing(self, what: str) -> None:
        """Say what the job is at."""
        if self._bar is not None:
            self._bar.set_description(what)

    def advance(self, weight: float = 1.0) -> None:
        """Count a step as done."""
        if self._bar is not None:
            self._bar.update(min(weight, self._bar.total - self._bar.n))

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()


class Steps:
    """A part of a bar: its steps are equal, or it is told which share of it has been reached.

    Parameters
    ----------
    bar : Progress
        The whole bar.
    weight : float
        What one step, or the whole part, weighs.
    """

    def __init__(self, bar: Progress, weight: float):
        self._bar, self._weight, self._reached = bar, weight, 0.0

    def doing(self, what: str) -> None:
        """Say what the job is at."""
        self._bar.doing(what)

    def advance(self) -> None:
        """Count one step as done."""
        self._bar.advance(self._weight)

    def reach(self, what: str, share: float) -> None:
        """Say what the job is at, and which share of the part is behind."""
        if what:
            self._bar.doing(what)
        self._bar.advance(max(0.0, share - self._reached) * self._weight)
        self._reached = max(share, self._reached)
