"""What `dvc repro` and the command line do: one file a stage, between files and the rest of the package.

Each file is its own face, so that a stage depends on no other stage's code.
"""
