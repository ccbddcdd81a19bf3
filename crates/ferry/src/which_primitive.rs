//! The page that says which primitive is for what, so that its programs in Rust are compiled and run with the doc
//! tests.

#![doc = include_str!("../../../docs/which-primitive.md")]
