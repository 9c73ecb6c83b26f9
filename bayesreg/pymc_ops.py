"""What the distributions that PyMC lacks are built of: random ops, and double precision."""

import math
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.distributions.shape_utils import rv_size_is_none
from pymc.pytensorf import floatX
from pytensor.link.numba.dispatch.basic import numba_njit
from pytensor.link.numba.dispatch.random import numba_core_rv_funcify
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.variable import TensorVariable


def as_double(parameter: Any) -> TensorVariable:
    """Make a parameter a float64 tensor; PyTensor alone would keep 2.0, and its log, in float32."""
    return floatX(pt.as_tensor_variable(parameter))


def filled(size: Any, value: TensorVariable, *others: TensorVariable) -> TensorVariable:
    """Broadcast `value` to the shape of a draw: `size`, or else the shape of all parameters."""
    if rv_size_is_none(size):
        return pt.broadcast_arrays(value, *others)[0]
    return pt.full(size, value)


class DrawnRV(RandomVariable):
    """Op whose draws come one by one from one function, run by Python or compiled by Numba.

    A second, vectorised, sampler would be faster without Numba, which is PyMC's default; it could
    also drift away from the first.
    """

    #: From a generator and the parameters of one draw to that draw: a number, or a vector.
    draw: ClassVar["staticmethod[..., Any]"]
    #: Whether the draw is a size only, and its sign a fair coin.
    signed: ClassVar[bool] = False

    def rng_fn(self, rng: np.random.Generator, *arguments: Any) -> NDArray[np.generic]:
        """Draw an array; the last argument is its batch shape (None: that of the parameters)."""
        *parameters, size = arguments
        arrays = [np.asarray(parameter) for parameter in parameters]
        cores = [x.shape[x.ndim - k :] for x, k in zip(arrays, self.ndims_params, strict=True)]
        if size is None:
            batches = (x.shape[: x.ndim - len(c)] for x, c in zip(arrays, cores, strict=True))
            size = np.broadcast_shapes(*batches)
        rows = [
            np.broadcast_to(x, (*size, *core)).reshape(math.prod(size), *core)
            for x, core in zip(arrays, cores, strict=True)
        ]
        one = _with_sign(self.draw) if self.signed else self.draw
        draws = [one(rng, *row) for row in zip(*rows, strict=True)]
        return np.reshape(np.asarray(draws, dtype=self.dtype), (*size, *cores[0][: self.ndim_supp]))


def _with_sign(draw: Any) -> Any:
    def signed(rng: np.random.Generator, *parameters: Any) -> Any:
        size = draw(rng, *parameters)
        return size if rng.random() < 0.5 else -size

    return signed


def _compiled_draw(op: DrawnRV, node: Any) -> Any:  # noqa: ARG001  # PyTensor passes it
    compiled = numba_njit(op.draw)
    return numba_njit(_with_sign(compiled)) if op.signed else compiled


numba_core_rv_funcify.register(DrawnRV, _compiled_draw)
