"""A measured echo: what it is and what its file told, several of one sample, corrections, and a data set made of it."""
