//! The pages whose programs in Rust are compiled and run with the doc tests: which primitive is for what, and what
//! differs between platforms.

#![doc = include_str!("../../../docs/which-primitive.md")]
#![doc = include_str!("../../../docs/platforms.md")]
