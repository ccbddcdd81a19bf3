//! `asyncferry._native`: the bridge as an extension module. The package around it is in `asyncferry/`.

mod module;
