"""The search for pulse sequences as a stage: what it does, draws and writes."""
