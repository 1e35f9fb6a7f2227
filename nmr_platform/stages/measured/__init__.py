"""What is done with files of one's own, in any folder: no stage of the pipeline, and no params.yaml."""
