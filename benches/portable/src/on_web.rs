//! Browsers and Node: Ferry's loop and wasm-bindgen-futures, with the crates that are used beside that. JavaScript's own
//! promises are measured in `driver.js`, which has the contenders take turns.

use asyncferry::js;
use js_sys::Promise;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

mod ferry {
    use asyncferry::{sync::Queue, *};
    use std::rc::Rc;

    contend! {
        now: web_time::Instant,
        spawn: |future| spawn_local(future),
        yield_now: yield_now(),
        sleep: |duration| sleep(duration),
        channel: |room| { let queue = Rc::new(Queue::new(room)); (queue.clone(), queue) },
        put: |sender, item| sender.put(item).await.expect("it's open"),
        get: |receiver| receiver.get().await.expect("it's open"),
    }
}

mod bindgen_futures {
    use futures_channel::{mpsc, oneshot};
    use futures_util::{SinkExt, StreamExt};
    use std::{
        future::{Future, poll_fn},
        task::Poll,
    };

    /// A task with a handle, which wasm-bindgen-futures' tasks have not.
    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> oneshot::Receiver<T> {
        let (sender, receiver) = oneshot::channel();
        wasm_bindgen_futures::spawn_local(async move {
            let _ = sender.send(future.await);
        });
        receiver
    }

    fn yield_now() -> impl Future<Output = ()> {
        let mut yielded = false;
        poll_fn(move |cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    contend! {
        now: web_time::Instant,
        spawn: |future| spawn(future),
        yield_now: yield_now(),
        sleep: |duration| gloo_timers::future::sleep(duration),
        channel: |room| mpsc::channel(room),
        put: |sender, item| sender.send(item).await.expect("it's open"),
        get: |receiver| receiver.next().await.expect("it's open"),
    }
}

/// The measurements' names.
#[wasm_bindgen]
pub fn names() -> Vec<String> {
    crate::contend::NAMES.map(str::to_owned).into()
}

/// Measures once: nanoseconds an operation.
#[wasm_bindgen]
pub fn measure(contender: String, name: String) -> Promise {
    match contender.as_str() {
        "ferry" => js::to_promise(async move { Ok(ferry::measure(&name).await.into()) }),
        _ => wasm_bindgen_futures::future_to_promise(async move {
            Ok::<JsValue, JsValue>(bindgen_futures::measure(&name).await.into())
        }),
    }
}
