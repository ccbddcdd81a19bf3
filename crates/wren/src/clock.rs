//! The time, for `System.clock`.

/// Seconds since this was made.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub(crate) fn since_now() -> Box<dyn Fn() -> f64 + Send> {
    let start = std::time::Instant::now();
    Box::new(move || start.elapsed().as_secs_f64())
}

/// There's no clock: the host gives one, or it stands.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) fn since_now() -> Box<dyn Fn() -> f64 + Send> {
    Box::new(|| 0.0)
}
