"""Plain data that host and link exchange, and the public events. Imports nothing else of the
project."""
