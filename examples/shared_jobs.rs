//! One pool for Rust and Python: each calls the other's jobs by their names.
//!
//!     cargo run --release -p asyncferry-python --example shared_jobs
//!
//! Rust registers a job that computes and one that fails; Python registers one that has the rules. Values cross as plain data, errors
//! with their text, cancels and progress both ways.

use asyncferry::{AsyncRuntime, jobs::JobContext, value::to_value};
use asyncferry_python::{default_pool, interpreter};
use pyo3::prelude::*;

const PROGRAM: &std::ffi::CStr = c"
import asyncio
import asyncferry as ferry

pool = ferry.default_pool()

def allowed(word, limit=3):
    return {'word': word, 'allowed': len(word) >= limit and word.isalpha()}

pool.register('allowed', allowed)

async def main():
    counted = await pool.submit('count_words', 'the quick brown fox and the lazy dog and the end')
    print('Python asks Rust:', counted)
    try:
        await pool.submit('count_words', 5)
    except TypeError as error:
        print('Python is told:  ', error)

asyncio.run(main())
";

/// How often each word occurs, the most frequent first.
fn count_words(job: &JobContext, text: String) -> Result<Vec<(String, u32)>, asyncferry::Cancelled> {
    let mut counts: Vec<(String, u32)> = Vec::new();
    for word in text.split_whitespace() {
        job.check()?;
        match counts.iter_mut().find(|(known, _)| known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word.to_owned(), 1)),
        }
    }
    counts.sort_by_key(|(word, count)| (std::cmp::Reverse(*count), word.clone()));
    counts.truncate(3);
    Ok(counts)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    interpreter::ensure_started()?;
    let pool = Python::attach(default_pool)?;
    pool.register_blocking("count_words", count_words)?;
    Python::attach(|py| py.run(PROGRAM, None, None))?;

    AsyncRuntime::block_on(async {
        for word in ["ferry", "x", "4ever"] {
            let job = pool.named("allowed", to_value(&[word])?).submit().await?;
            println!("Rust asks Python: {}", job.await?);
        }
        let job = pool.named("allowed", to_value(&[5])?).submit().await?;
        match job.await {
            Ok(value) => println!("Rust is given:    {value}"),
            Err(error) => println!("Rust is told:     {error}"),
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    Ok(())
}
