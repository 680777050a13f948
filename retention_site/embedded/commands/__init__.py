"""What `./rekindle COMMAND` runs, one module per command; none of them imports Django."""
