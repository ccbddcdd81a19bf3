//! The page for those who come from pyo3-async-runtimes, so that what it shows is compiled and run with the doc
//! tests.

#![doc = include_str!("../../../docs/migrating-from-pyo3-async-runtimes.md")]
