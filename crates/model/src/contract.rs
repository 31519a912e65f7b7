//! Contract suites: each behaviour of a port once, run for every implementation of it.
