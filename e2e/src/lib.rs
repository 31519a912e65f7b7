//! Black-box tests of the real binary live in `tests/it`; nothing is exported.
