"""Settings that all tests share."""

from hypothesis import settings

# The same examples on every run: a failure that CI shows is one that anybody can repeat.
settings.register_profile("bayesreg", max_examples=40, deadline=None, derandomize=True)
settings.load_profile("bayesreg")
