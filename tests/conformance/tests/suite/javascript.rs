//! The browser and Node alone: promises and abort signals.

use asyncferry::{CancellationToken, cancellable, js, sleep, spawn_local, timeout, yield_now};
use asyncferry_conformance::real_clock;
use js_sys::{Promise, Reflect};
use std::{cell::Cell, future::pending, rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, AbortSignal};

const MS: Duration = Duration::from_millis(1);

fn text(value: &JsValue, property: &str) -> Option<String> {
    Reflect::get(value, &property.into()).ok()?.as_string()
}

async fn outcome(promise: Promise) -> Result<JsValue, JsValue> {
    js::JsFuture::from(promise).await
}

mod a_future_is_a_promise {
    use super::*;

    real_clock!(async {
        let promise = js::to_promise(async {
            sleep(MS).await;
            Ok(JsValue::from(42))
        });
        assert_eq!(outcome(promise).await, Ok(JsValue::from(42)));
        let failed = js::to_promise(async { Err(JsValue::from("no")) });
        assert_eq!(outcome(failed).await, Err(JsValue::from("no")));
    });
}

mod a_signal_cancels_the_task_and_its_reason_comes_back {
    use super::*;

    real_clock!(async {
        let controller = AbortController::new().expect("there are signals");
        let cancelled = Rc::new(Cell::new(false));
        let seen = cancelled.clone();
        let body = async move {
            let error = cancellable(pending::<()>()).await.expect_err("it's cancelled");
            seen.set(error.message() == "too slow");
            Err::<JsValue, _>(JsValue::from("the task's own"))
        };
        let promise = js::to_promise_with(body, Some(&controller.signal()));
        sleep(MS).await;
        controller.abort_with_reason(&"too slow".into());
        assert_eq!(outcome(promise).await, Err(JsValue::from("the task's own")));
        assert!(cancelled.get());
    });
}

mod a_task_that_ends_of_a_signal_rejects_with_its_reason {
    use super::*;

    real_clock!(async {
        let controller = AbortController::new().expect("there are signals");
        let promise = js::to_promise_with(pending(), Some(&controller.signal()));
        sleep(MS).await;
        controller.abort();
        let error = outcome(promise).await.expect_err("it was aborted");
        assert_eq!(text(&error, "name").as_deref(), Some("AbortError"));
        let late = js::to_promise_with(pending(), Some(&controller.signal()));
        assert_eq!(outcome(late).await, Err(error), "a signal that has aborted starts nothing");
    });
}

mod a_future_that_is_dropped_aborts_its_promise {
    use super::*;

    real_clock!(async {
        let signal = Rc::new(Cell::new(None::<AbortSignal>));
        let kept = signal.clone();
        let start = |signal: &AbortSignal| {
            kept.set(Some(signal.clone()));
            Promise::new(&mut |_, _| {})
        };
        assert!(timeout(MS, js::abortable(start)).await.is_err());
        assert!(signal.take().is_some_and(|signal| signal.aborted()));
        let kept = signal.clone();
        let done = js::abortable(|signal| {
            kept.set(Some(signal.clone()));
            Promise::resolve(&JsValue::from(1))
        });
        assert_eq!(done.await, Ok(JsValue::from(1)));
        assert!(signal.take().is_some_and(|signal| !signal.aborted()));
    });
}

mod a_promise_is_a_future_with_a_timeout {
    use super::*;

    real_clock!(async {
        let never = Promise::new(&mut |_, _| {});
        assert!(timeout(2 * MS, js::JsFuture::from(never)).await.is_err());
        let error = js_sys::Error::new("oh");
        let rejected = outcome(Promise::reject(&error)).await.expect_err("it's rejected");
        assert_eq!(rejected.dyn_into::<js_sys::Error>().map(|error| error.message()), Ok("oh".into()));
    });
}

mod a_signal_is_a_token_and_a_token_is_a_signal {
    use super::*;

    real_clock!(async {
        let controller = AbortController::new().expect("there are signals");
        let token = js::token_of(&controller.signal());
        let waiting = spawn_local(token.child_token().cancelled_owned());
        assert!(!token.is_cancelled());
        controller.abort_with_reason(&js_sys::Error::new("enough"));
        assert_eq!(waiting.await.expect("it ends").message(), "enough");
        let late = js::token_of(&controller.signal());
        assert_eq!(late.reason().expect("it has aborted").message(), "enough");

        let token = CancellationToken::new();
        let [kept, dropped] =
            [js::signal_of(&token), js::signal_of(&token)].map(|it| it.expect("there are signals"));
        let ignored = dropped.signal().clone();
        drop(dropped);
        token.cancel("stop");
        yield_now().await;
        assert!(kept.signal().aborted() && !ignored.aborted());
        assert_eq!(text(&kept.signal().reason(), "message").as_deref(), Some("stop"));
        assert_eq!(text(&kept.signal().reason(), "name").as_deref(), Some("AbortError"));
        let late = js::signal_of(&token).expect("there are signals");
        assert!(late.signal().aborted());
    });
}
