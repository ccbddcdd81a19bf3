//! Lua 5.4.

use std::{cell::RefCell, rc::Rc};

/// Runs a program, and gives what it prints.
pub fn run(source: &str) -> String {
    let printed = Rc::new(RefCell::new(String::new()));
    let output = Rc::clone(&printed);
    let lua = mlua::Lua::new();
    let print = lua
        .create_function(move |_, value: mlua::Value| {
            let text = match value {
                // Wren has one kind of number, and shows whole ones without a fraction.
                mlua::Value::Number(number) if number.fract() == 0.0 => format!("{number:.0}"),
                value => value.to_string()?,
            };
            output.borrow_mut().push_str(&format!("{text}\n"));
            Ok(())
        })
        .expect("a function");
    lua.globals().set("print", print).expect("a global");
    lua.load(source).exec().expect("the programs run");
    drop(lua);
    let printed = printed.borrow().clone();
    printed
}
