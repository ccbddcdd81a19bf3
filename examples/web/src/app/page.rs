//! The little of the page that the program touches: elements by their ids.

use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Document, Element, HtmlButtonElement, HtmlInputElement};

fn document() -> Result<Document, JsValue> {
    web_sys::window().and_then(|window| window.document()).ok_or_else(|| "there is no page".into())
}

/// The element with this id.
pub(super) fn element<T: JsCast>(id: &str) -> Result<T, JsValue> {
    let element =
        document()?.get_element_by_id(id).ok_or_else(|| JsValue::from(format!("there is no #{id}")))?;
    element.dyn_into().map_err(|_| format!("#{id} is of another kind").into())
}

pub(super) fn set_text(id: &str, text: &str) -> Result<(), JsValue> {
    element::<Element>(id)?.set_text_content(Some(text));
    Ok(())
}

/// Shows `text` as the state of a part; `kind` is how it looks: "idle", "busy", "good" or "bad".
pub(super) fn set_state(id: &str, text: &str, kind: &str) -> Result<(), JsValue> {
    let shown = element::<Element>(id)?;
    shown.set_text_content(Some(text));
    shown.set_class_name(&format!("state {kind}"));
    Ok(())
}

/// An error as a person reads it.
pub(super) fn text_of(error: &JsValue) -> String {
    error.as_string().unwrap_or_else(|| format!("{error:?}"))
}

pub(super) fn number(id: &str) -> Result<u32, JsValue> {
    let input = element::<HtmlInputElement>(id)?;
    input.value().parse().map_err(|_| format!("this is no whole number: {:?}", input.value()).into())
}

/// Fills a bar to `part` of it, from 0 to 1.
pub(super) fn set_bar(id: &str, part: f64) -> Result<(), JsValue> {
    let style = format!("width: {:.1}%", 100.0 * part.clamp(0.0, 1.0));
    element::<Element>(id)?.set_attribute("style", &style)
}

/// Adds a line at the end of a list, and gives it.
pub(super) fn add_line(list: &str, text: &str) -> Result<Element, JsValue> {
    let line = document()?.create_element("li")?;
    line.set_text_content(Some(text));
    element::<Element>(list)?.append_child(&line)?;
    Ok(line)
}

pub(super) fn clear(list: &str) -> Result<(), JsValue> {
    element::<Element>(list)?.replace_children_with_node_0();
    Ok(())
}

/// Calls `call` at each click of a button, as long as the page lives.
pub(super) fn on_click(id: &str, call: impl Fn() + 'static) -> Result<(), JsValue> {
    let clicked = Closure::<dyn Fn()>::new(call).into_js_value();
    element::<HtmlButtonElement>(id)?.set_onclick(Some(clicked.unchecked_ref()));
    Ok(())
}
