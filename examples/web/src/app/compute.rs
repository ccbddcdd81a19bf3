//! Work that computes for long, and lets the page paint between two slices.

use super::page;
use asyncferry::{CancellationToken, Instant, spawn_local, yield_to_host};
use std::{cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen::JsValue;

/// How long a slice may take: less than a frame.
const SLICE: Duration = Duration::from_millis(8);

pub(super) fn listen() -> Result<(), JsValue> {
    let current = Rc::new(RefCell::new(CancellationToken::new()));
    let token = current.clone();
    page::on_click("compute-start", move || {
        token.replace(CancellationToken::new()).cancel("started anew");
        let token = token.borrow().clone();
        drop(spawn_local(async move {
            match token.run_until_cancelled(primes()).await {
                Ok(Ok(found)) => page::set_state("compute-state", &format!("{found} primes"), "good"),
                Ok(Err(error)) => page::set_state("compute-state", &page::text_of(&error), "bad"),
                Err(cancelled) => page::set_state("compute-state", &cancelled.to_string(), "bad"),
            }
        }));
    })?;
    page::on_click("compute-cancel", move || {
        current.borrow().cancel("the button was pressed");
    })
}

/// Counts the primes below a bound, slowly.
async fn primes() -> Result<u32, JsValue> {
    let below = page::number("compute-below")?;
    page::set_state("compute-state", "counting", "busy")?;
    let (mut found, mut slice) = (0, Instant::now());
    for number in 2..below {
        if (2..)
            .take_while(|divisor| divisor * divisor <= number)
            .all(|divisor| !number.is_multiple_of(divisor))
        {
            found += 1;
        }
        if number % 256 == 0 && slice.elapsed() >= SLICE {
            page::set_bar("compute-bar", f64::from(number) / f64::from(below))?;
            yield_to_host().await;
            slice = Instant::now();
        }
    }
    page::set_bar("compute-bar", 1.0)?;
    Ok(found)
}
