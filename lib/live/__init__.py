"""What is going on: running work notes it in files, and whoever watches reads those, never the warehouse."""
