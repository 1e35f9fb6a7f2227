"""What a data set is made of: priors, expressions, sampling, sweeps."""
