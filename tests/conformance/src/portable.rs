//! The macro for tests that are the same everywhere.

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
