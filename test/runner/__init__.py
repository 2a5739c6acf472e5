"""What test/run.py is made of: builds, suites, their results, the form checks."""
