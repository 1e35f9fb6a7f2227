"""From a recipe to a data set: resumable, by any executor."""
