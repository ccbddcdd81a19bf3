//! A request whose body streams in, with a timeout and a button that cancels it on the wire.

use super::page;
use asyncferry::{CancellationToken, net::Request, spawn_local};
use std::{cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen::JsValue;

const TIMEOUT: Duration = Duration::from_secs(20);

pub(super) fn listen() -> Result<(), JsValue> {
    let current = Rc::new(RefCell::new(CancellationToken::new()));
    for (button, path) in
        [("fetch-quick", "data/quick"), ("fetch-slow", "data/slow"), ("fetch-missing", "data/none")]
    {
        let current = current.clone();
        page::on_click(button, move || {
            current.replace(CancellationToken::new()).cancel("another was asked for");
            let token = current.borrow().clone();
            drop(spawn_local(async move {
                let ended = token.run_until_cancelled(run(path)).await;
                match ended {
                    Ok(Ok(bytes)) => page::set_state("fetch-state", &format!("{bytes} bytes"), "good"),
                    Ok(Err(error)) => page::set_state("fetch-state", &error, "bad"),
                    Err(cancelled) => page::set_state("fetch-state", &cancelled.to_string(), "bad"),
                }
            }));
        })?;
    }
    page::on_click("fetch-cancel", move || {
        current.borrow().cancel("the button was pressed");
    })
}

async fn run(path: &str) -> Result<usize, String> {
    let shown = |error: JsValue| format!("{error:?}");
    let here = web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default();
    let folder = here.rsplit_once('/').map_or(here.as_str(), |(folder, _)| folder);
    page::set_state("fetch-state", "waiting for the answer", "busy").map_err(shown)?;
    let request = Request::get(&format!("{folder}/{path}")).timeout(TIMEOUT);
    let response = request.send().await.map_err(|error| error.to_string())?;
    if !response.ok() {
        return Err(format!("the server says {}", response.status()));
    }
    let mut chunks = response.chunks();
    let mut count = 0;
    while let Some(chunk) = chunks.next().await {
        count += chunk.map_err(|error| error.to_string())?.len();
        page::set_state("fetch-state", &format!("{count} bytes so far"), "busy").map_err(shown)?;
    }
    Ok(count)
}
