"""The routes, one file per capability. Each reads its parameters, calls one function and returns its answer."""
