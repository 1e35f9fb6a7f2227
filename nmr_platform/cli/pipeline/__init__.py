"""The commands that are stages of the pipeline, one file each; DVC runs the same ones, see `pipelines/`."""
