"""Penalties: minus the log of a prior density, without its constant, as optimisers see them."""

from bayesreg.penalties.balls import BallPenalty
from bayesreg.penalties.base import Penalty
from bayesreg.penalties.curved import BridgePenalty, ParetoPenalty, StudentTPenalty
from bayesreg.penalties.elastic_net import ElasticNetPenalty, soft_threshold
from bayesreg.penalties.fused import FusedPenalty
from bayesreg.penalties.joined import JoinedPenalty, SeparableJoin, join
from bayesreg.penalties.manifolds import PartlySmooth, Piece, pieces, stationarity
from bayesreg.penalties.norms import GroupNorm, NormPenalty, SortedNorm, SupNorm
from bayesreg.penalties.separable import SeparablePenalty

__all__ = [
    "BallPenalty",
    "BridgePenalty",
    "ElasticNetPenalty",
    "FusedPenalty",
    "GroupNorm",
    "JoinedPenalty",
    "NormPenalty",
    "ParetoPenalty",
    "PartlySmooth",
    "Penalty",
    "Piece",
    "SeparableJoin",
    "SeparablePenalty",
    "SortedNorm",
    "StudentTPenalty",
    "SupNorm",
    "join",
    "pieces",
    "soft_threshold",
    "stationarity",
]
