//! [`Host`]: how the loop gets its turns from JavaScript's event loop, in a window, in a worker and in Node.

use super::{run_turn, turn};
use crate::executor::real;
use js_sys::{Function, Reflect, global};
use std::cell::{Cell, RefCell};
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::{MessageChannel, MessagePort};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(callback: &Function);
    // Node's timers are objects.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

const MILLISECOND: u64 = 1_000_000;
/// Timers of JavaScript count milliseconds in 31 bits. The loop looks again at the latest after a day.
const LONGEST: u64 = 86_400_000;

thread_local! {
    static HOST: Host = Host::new();
}

pub(super) struct Host {
    /// A turn, as a microtask; and what that calls.
    turn: Function,
    run_turn: Function,
    /// What `setTimeout` calls.
    rang: Function,
    hopper: Hopper,
    hops: Cell<bool>,
    alarm: RefCell<Option<Alarm>>,
}

struct Alarm {
    timer: JsValue,
    deadline: u64,
}

/// What gives the host's other work a turn.
enum Hopper {
    /// `setImmediate`, and a hop for it to call.
    Immediate(Function, Function),
    /// A message to oneself.
    Channel(MessagePort),
    /// `setTimeout`, where there is nothing better.
    Timeout(Function),
}

impl Host {
    pub(super) fn with<R>(use_it: impl FnOnce(&Self) -> R) -> R {
        HOST.with(use_it)
    }

    fn new() -> Self {
        let rang = || {
            Self::with(|host| {
                host.alarm.take();
                host.hop();
            });
        };
        Self {
            turn: callback(turn),
            run_turn: callback(run_turn),
            rang: callback(rang),
            hopper: Hopper::new(),
            hops: Cell::new(false),
            alarm: RefCell::new(None),
        }
    }

    /// A turn of the loop, once what JavaScript does now has ended.
    pub(super) fn queue_turn(&self) {
        queue_microtask(&self.turn);
    }

    /// Calls the turn from JavaScript; what was thrown in there is the error.
    pub(super) fn call_turn(&self) -> Result<(), JsValue> {
        self.run_turn.call0(&JsValue::UNDEFINED).map(drop)
    }

    /// A turn of the loop, once others had theirs.
    pub(super) fn hop(&self) {
        if !self.hops.replace(true) {
            self.hopper.hop();
        }
    }

    /// A turn of the loop at `deadline`, in nanoseconds of the real clock, and at none that it was set to before: a timer
    /// that nobody waits for would keep Node from ending.
    pub(super) fn set_alarm(&self, deadline: Option<u64>) {
        let mut alarm = self.alarm.borrow_mut();
        if alarm.as_ref().map(|alarm| alarm.deadline) == deadline {
            return;
        }
        if let Some(before) = alarm.take() {
            clear_timeout(&before.timer);
        }
        let Some(deadline) = deadline else { return };
        let left = deadline.saturating_sub(real());
        if left < MILLISECOND {
            drop(alarm);
            return self.hop();
        }
        let milliseconds = (left / MILLISECOND).min(LONGEST);
        #[expect(clippy::cast_precision_loss, reason = "a day of milliseconds is exact")]
        let timer = set_timeout(&self.rang, milliseconds as f64);
        *alarm = Some(Alarm { timer, deadline });
    }
}

impl Hopper {
    fn new() -> Self {
        let landed = || {
            Host::with(|host| host.hops.set(false));
            turn();
        };
        let landed = callback(landed);
        match Reflect::get(&global(), &"setImmediate".into()).map(JsCast::dyn_into::<Function>) {
            Ok(Ok(immediate)) => Self::Immediate(immediate, landed),
            _ => match MessageChannel::new() {
                Ok(channel) => {
                    channel.port1().set_onmessage(Some(&landed));
                    Self::Channel(channel.port2())
                }
                Err(_) => Self::Timeout(landed),
            },
        }
    }

    fn hop(&self) {
        match self {
            Self::Immediate(immediate, landed) => {
                if immediate.call1(&JsValue::UNDEFINED, landed).is_err() {
                    set_timeout(landed, 0.0);
                }
            }
            Self::Channel(port) => {
                let sent = port.post_message(&JsValue::UNDEFINED);
                debug_assert!(sent.is_ok(), "undefined can be sent");
            }
            Self::Timeout(landed) => {
                set_timeout(landed, 0.0);
            }
        }
    }
}

/// A function of JavaScript's that lives as long as the page.
pub(super) fn callback(call: impl Fn() + 'static) -> Function {
    Closure::<dyn Fn()>::new(call).into_js_value().unchecked_into()
}
