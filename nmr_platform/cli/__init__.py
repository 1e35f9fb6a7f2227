"""The `nmr` command: `app` puts it together, `running` runs it."""
