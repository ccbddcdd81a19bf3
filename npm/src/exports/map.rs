//! `mapLimited`.

use super::{Work, settled};
use asyncferry::{
    js, stream,
    stream::{StreamExt, TryStreamExt},
};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::AbortSignal;

/// Calls `work` with each item and a signal, `limit` at once, and gives their results in the order of the items. The
/// first failure aborts the others' signal, and is thrown.
#[wasm_bindgen(js_name = mapLimited, unchecked_return_type = "Promise<any[]>")]
pub fn map_limited(
    #[wasm_bindgen(unchecked_param_type = "any[]")] items: Array,
    limit: f64,
    #[wasm_bindgen(unchecked_param_type = "(item: any, signal: AbortSignal) => any")] work: Function,
    signal: Option<AbortSignal>,
) -> Promise {
    let run = async move {
        let limit = match super::queue::count(limit, "limit")? {
            0 => return Err(super::queue::range_error("limit", "1")),
            limit => limit,
        };
        let mut at_work = Work::new()?;
        let call = |(place, item)| {
            let called = work.call2(&JsValue::UNDEFINED, &item, &at_work.signal());
            async move { settled(called?).await.map(|result| (place, result)) }
        };
        // A failure counts at once, whatever those before it do.
        let ends = stream::iter(items.iter().enumerate()).map(call).buffer_unordered(limit);
        let mut results = ends.try_collect::<Vec<_>>().await?;
        results.sort_unstable_by_key(|(place, _)| *place);
        at_work.ended_well = true;
        Ok(results.into_iter().map(|(_, result)| result).collect::<Array>().into())
    };
    js::to_promise_with(run, signal.as_ref())
}
