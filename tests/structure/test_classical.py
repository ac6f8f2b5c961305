"""Classical scores: against pgmpy, PyBNesian, predictive densities of SciPy, and the equivalence of graphs."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from scipy import integrate, stats

from bayesynth.encoding.table import CodedSource, EncodedTable, encode_table
from bayesynth.errors import InputError
from bayesynth.structure import scores
from bayesynth.structure.classical import CLASSICAL, ClassicalScore
from bayesynth.structure.exact import enumerate_graphs
from bayesynth.structure.scores import bdeu, bge, bic_discrete, bic_gaussian
from bayesynth.structure.tables import ScoreTables

ROWS = """0110 0110 1231 0031 1200 1010 1121 0221 0000 0200 0110 1121
          1231 0221 1200 0110 1231 1231 1010 1010 1010 0110 0220 1121"""
CODES = np.array([[int(level) for level in row] for row in ROWS.split()])
LEVELS = np.array([2, 3, 4, 2])
NUMBERS = np.array(
    [
        [0.57, 1.81, -2.84, -0.45],
        [-1.31, -0.93, 1.14, 8.19],
        [-1.78, -2.18, 1.1, 7.26],
        [0.42, -0.37, 1.09, 4.05],
        [-0.2, -0.92, 1.1, 4.72],
        [-0.09, -0.31, -1.07, 0.96],
        [1.21, 0.9, -1.13, 4.54],
        [0.53, 2.59, -1.99, 0.08],
        [-1.45, 0.02, 1.1, 2.46],
        [-0.65, 0.01, -1.49, 0.97],
        [-0.35, -0.12, 0.87, 3.91],
        [0.92, 0.41, 0.84, -0.44],
    ]
)
FAMILIES = [(3, ()), (3, (2,)), (3, (0, 2)), (3, (0, 1, 2)), (2, (0, 1)), (1, (0, 2, 3)), (0, ())]
