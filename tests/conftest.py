"""Settings that all tests share."""

import signal

from hypothesis import settings

# The same examples on every run: a failure that CI shows is one that anybody can repeat.
settings.register_profile("bayesreg", max_examples=40, deadline=None, derandomize=True)
settings.load_profile("bayesreg")

# A shell that starts the tests in the background has them ignore Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)
