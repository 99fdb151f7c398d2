"""Camera coverage as a service: a town's cameras, buildings and grids, and what is seen of them."""
