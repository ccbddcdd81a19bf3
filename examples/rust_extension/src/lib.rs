//! `word_counts`: a Python module whose functions are Rust's, and are awaited like Python's own.
//!
//! Each file shows one way over the bridge; `module.rs` is what makes a module of them.

mod callbacks;
mod count;
mod fetch;
mod module;
