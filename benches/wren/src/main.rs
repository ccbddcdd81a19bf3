//! Programs in Wren on Ferry's machine, on C Wren and, written in Lua, on Lua 5.4: the CPU time of a run, from the source to the end.
//!
//! Each run has a machine of its own. All contenders must print the same. `cargo xtask bench wren [--rounds N] [NAME…]`

use ferry_benches::{Clock, alternate, print_line};
use std::collections::BTreeMap;

#[cfg(feature = "c-wren")]
mod c_wren;
mod ferry;
mod lua;

/// The programs, with those of Lua.
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("fib", include_str!("../programs/fib.wren"), include_str!("../programs/fib.lua")),
    (
        "method_call",
        include_str!("../programs/method_call.wren"),
        include_str!("../programs/method_call.lua"),
    ),
    (
        "binary_trees",
        include_str!("../programs/binary_trees.wren"),
        include_str!("../programs/binary_trees.lua"),
    ),
    (
        "map_numeric",
        include_str!("../programs/map_numeric.wren"),
        include_str!("../programs/map_numeric.lua"),
    ),
    ("map_string", include_str!("../programs/map_string.wren"), include_str!("../programs/map_string.lua")),
    ("for", include_str!("../programs/for.wren"), include_str!("../programs/for.lua")),
    (
        "string_equals",
        include_str!("../programs/string_equals.wren"),
        include_str!("../programs/string_equals.lua"),
    ),
    (
        "constraints",
        include_str!("../programs/constraints.wren"),
        include_str!("../programs/constraints.lua"),
    ),
    ("fibers", include_str!("../programs/fibers.wren"), include_str!("../programs/fibers.lua")),
];

/// What C Wren's time is to be at most, in the geometric mean.
const GOAL: f64 = 1.0;

fn main() -> Result<(), String> {
    let mut rounds = 11;
    let mut names = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--rounds" {
            let given = arguments.next().unwrap_or_default();
            rounds =
                given.parse().map_err(|_| format!("--rounds wants a number, and was given `{given}`."))?;
        } else if PROGRAMS.iter().any(|(name, ..)| *name == argument) {
            names.push(argument);
        } else {
            let known: Vec<_> = PROGRAMS.iter().map(|(name, ..)| *name).collect();
            return Err(format!("there is no program `{argument}`; there are: {}.", known.join(", ")));
        }
    }
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, wren, lua_source) in PROGRAMS {
        if !names.is_empty() && !names.iter().any(|chosen| chosen == name) {
            continue;
        }
        check(name, wren, lua_source)?;
        let contenders = Vec::from([
            contender("ferry", ferry::run, wren),
            contender("lua", lua::run, lua_source),
            #[cfg(feature = "c-wren")]
            contender("c_wren", c_wren::run, wren),
        ]);
        let figures = alternate(rounds, contenders);
        for (contender, figure) in &figures {
            all.entry(contender.clone()).or_default().push(*figure);
        }
        print_line(&format!("wren_{name}"), "cpu ms", &figures, "c_wren", None);
    }
    let means: BTreeMap<String, f64> =
        all.into_iter().map(|(contender, figures)| (contender, geometric_mean(&figures))).collect();
    print_line("wren_geometric_mean", "cpu ms", &means, "c_wren", Some(GOAL));
    if cfg!(not(feature = "c-wren")) {
        eprintln!("C Wren was left out: it is built with libclang, which was not found.");
    }
    Ok(())
}

/// All contenders print the same, or the figures mean nothing.
fn check(name: &str, wren: &str, lua_source: &str) -> Result<(), String> {
    let expected = ferry::run(wren);
    let others = [
        ("lua", lua::run(lua_source)),
        #[cfg(feature = "c-wren")]
        ("c_wren", c_wren::run(wren)),
    ];
    for (contender, printed) in others {
        if printed != expected {
            return Err(format!("{name} prints {expected:?} on ferry, and {printed:?} on {contender}."));
        }
    }
    Ok(())
}

/// One that gives the milliseconds of CPU time that a run of a program takes.
fn contender<'a>(
    name: &'a str,
    run: fn(&str) -> String,
    source: &'a str,
) -> (&'a str, Box<dyn FnMut() -> f64 + 'a>) {
    let timed = move || {
        let start = Clock::Cpu.now();
        std::hint::black_box(run(source));
        (Clock::Cpu.now() - start) / 1e6
    };
    (name, Box::new(timed))
}

fn geometric_mean(figures: &[f64]) -> f64 {
    (figures.iter().map(|figure| figure.ln()).sum::<f64>() / figures.len() as f64).exp()
}
