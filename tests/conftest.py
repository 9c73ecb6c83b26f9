"""Settings that all tests share."""

import logging
import signal

import pytest
from hypothesis import settings

# The same examples on every run: a failure that CI shows is one that anybody can repeat.
settings.register_profile("bayesreg", max_examples=40, deadline=None, derandomize=True)
settings.load_profile("bayesreg")

# A shell that starts the tests in the background has them ignore Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _silent_log() -> None:
    """What compiles depends on what ran before: said in the log, it is on no stderr that is read.

    The command line leaves handlers of its own.
    """
    log = logging.getLogger("bayesreg")
    log.handlers[:] = [logging.NullHandler()]
    log.setLevel(logging.NOTSET)
