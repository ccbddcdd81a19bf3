//! `count`: work that computes for long, and stops when nobody waits for it any more.

use asyncferry_python::{Job, blocking_to_awaitable};
use pyo3::prelude::*;
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::atomic::{AtomicUsize, Ordering},
};

/// How often each word stands in a text.
pub(crate) type Counts = BTreeMap<String, usize>;

static COUNTED: AtomicUsize = AtomicUsize::new(0);

/// Gives how often each word stands in all `texts` together.
#[pyfunction]
pub(crate) fn count(py: Python<'_>, texts: Vec<String>) -> PyResult<Bound<'_, Job>> {
    blocking_to_awaitable(py, move |interest| {
        let mut counts = Counts::new();
        // Code that computes can't be stopped from outside, so it looks by itself, between two texts.
        for text in texts.iter().take_while(|_| !interest.is_gone()) {
            add_words(&mut counts, text);
        }
        Ok::<_, Infallible>(counts)
    })
}

/// How many texts were counted in this process so far.
#[pyfunction]
pub(crate) fn counted() -> usize {
    COUNTED.load(Ordering::Relaxed)
}

pub(crate) fn add_words(counts: &mut Counts, text: &str) {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in words {
        *counts.entry(word.to_lowercase()).or_default() += 1;
    }
    COUNTED.fetch_add(1, Ordering::Relaxed);
}
