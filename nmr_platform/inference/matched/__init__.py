"""From a measured record to an answer by a model that was made for this measurement.

It is entered by itself, like `nmr_platform.inference.prediction`: whoever makes predictors does not depend on it.
"""

from nmr_platform.inference.matched.look import Estimate, Given, Look, look

__all__ = ["Estimate", "Given", "Look", "look"]
