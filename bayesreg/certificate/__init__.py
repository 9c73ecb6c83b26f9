"""Certificates: how far anyone's coefficients are from the mode, from (problem, coef) alone.

Shares nothing with the solvers. Two independent measures:

* the **duality gap**, in nats: an upper bound on objective(coef) − objective(mode). Summed from
  Fenchel–Young losses, each non-negative, so that it keeps its digits down to rounding. It exists
  where the penalty is convex.
* the **KKT residual**: distance of minus the gradient to the subdifferential of the penalty,
  divided per coefficient by the square root of the curvature, so that it does not depend on the
  units of a column. Half its square is about the excess in nats due to that coefficient alone. It
  sees what the gap cannot: a coefficient of 1e-15 that should be exactly 0. Where penalty or loss
  are not convex it is all there is, and says "stationary", nothing global; second derivatives then
  tell a local minimum from a saddle.

Everything is a few products with X, dense or sparse, and none of it is ever copied as a whole:
`expansion` computes them for one answer or for many on the same data, `duality` (with `moving`)
turns them into the gap, `uniqueness` asks whether other coefficients do as well, `copies` which do,
`second_order` whether what is not convex has a local minimum there, and `verdict` holds the
outcome.
"""

from bayesreg.certificate.judge import certify, certify_path
from bayesreg.certificate.sigma import sigma_slope
from bayesreg.certificate.verdict import GAP_TOLERANCE, KKT_TOLERANCE, NEAR, Certificate

__all__ = [
    "GAP_TOLERANCE",
    "KKT_TOLERANCE",
    "NEAR",
    "Certificate",
    "certify",
    "certify_path",
    "sigma_slope",
]
