"""Tools for whoever works on Bedplate: generators whose output is committed. Nothing of the host
imports them."""
