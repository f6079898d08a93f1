"""bin/demo: the whole site on this machine, as one group of processes."""
