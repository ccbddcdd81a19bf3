//! [`portable!`]: a test that is the same on every platform, on the real clock and on the virtual one.
//!
//! Run natively by `cargo test -p asyncferry-conformance`; `cargo xtask test` runs it on each platform.

/// Makes tests of async blocks: `portable! { name: async { .. } }`. Each becomes two, `name::real_clock` and
/// `name::virtual_clock`.
#[macro_export]
macro_rules! portable {
    ($($(#[doc = $doc:literal])* $name:ident: $body:expr;)+) => {$(
        $(#[doc = $doc])*
        mod $name {
            use super::*;
            $crate::real_clock!($body);
            $crate::virtual_clock!($body);
        }
    )+};
}

pub mod platform;
