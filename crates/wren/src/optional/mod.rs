//! Modules that are there without a loader, for those who import them: `meta` and `random`.

mod meta;
mod random;

use crate::machine::Registry;

/// The source of one of them.
pub(crate) fn source(name: &str) -> Option<&'static str> {
    match name {
        "meta" => Some(include_str!("meta.wren")),
        "random" => Some(include_str!("random.wren")),
        _ => None,
    }
}

/// Adds what their sources declare as foreign.
pub(crate) fn register(registry: &mut Registry) {
    meta::register(registry);
    random::register(registry);
}
