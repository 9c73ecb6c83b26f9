"""Penalties: minus the log of a prior density, without its constant, as optimisers see them."""

from bayesreg.penalties.base import Penalty
from bayesreg.penalties.elastic_net import ElasticNetPenalty, soft_threshold
from bayesreg.penalties.joined import JoinedPenalty, join

__all__ = ["ElasticNetPenalty", "JoinedPenalty", "Penalty", "join", "soft_threshold"]
