//! Modules: their variables, and how they are loaded.

use super::{CORE, Machine};
use crate::{
    CompileError, bytecode, compiler,
    heap::Gc,
    loader::Loader,
    object::{Closure, ModuleId, Text},
    word::Word,
};
use std::collections::HashMap;

/// What the machine asks of its host.
pub(crate) struct Host {
    pub(crate) write: Box<dyn FnMut(&str) + Send>,
    /// Is told of what is wrong with a module that is imported, or with code that `Meta` compiles.
    pub(crate) report: Box<dyn FnMut(&CompileError) + Send>,
    pub(crate) loader: Box<dyn Loader>,
    /// Modules of the host's own, by their names.
    pub(crate) modules: HashMap<String, String>,
    /// Says why the program must stop, if it must.
    pub(crate) guard: Option<Box<dyn FnMut() -> Option<String> + Send>>,
    /// Seconds, from wherever.
    pub(crate) clock: Box<dyn Fn() -> f64 + Send>,
}

/// A module that was loaded.
pub(crate) struct ModuleState {
    name: String,
    /// The names of its variables, in order.
    names: Vec<String>,
    /// Where they are among those of the machine.
    places: HashMap<String, u32>,
}

impl ModuleState {
    pub(crate) fn core() -> Self {
        Self { name: String::new(), names: Vec::new(), places: HashMap::new() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn add(&mut self, name: &str, place: u32) {
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
    }
}

/// What an import comes to.
pub(crate) enum Import {
    /// It was loaded before.
    IsThere,
    /// It's to be run first.
    Run(Gc<Closure>),
}

impl Machine {
    /// The module of a name, a new one if need be.
    pub(crate) fn module(&mut self, name: &str) -> ModuleId {
        if let Some(known) = self.module_ids.get(name) {
            return *known;
        }
        let id = ModuleId(self.modules.len() as u32);
        self.modules.push(ModuleState { name: name.to_owned(), ..ModuleState::core() });
        self.module_ids.insert(name.to_owned(), id);
        id
    }

    /// Where a name's variable is: of the module itself, or of the core classes.
    pub(crate) fn variable_place(&self, module: ModuleId, name: &str) -> Option<u32> {
        let own = self.modules[module.0 as usize].places.get(name);
        own.or_else(|| self.modules[CORE.0 as usize].places.get(name)).copied()
    }

    /// A module's own variable.
    pub(crate) fn variable(&self, module: ModuleId, name: &str) -> Option<Word> {
        let place = self.modules[module.0 as usize].places.get(name)?;
        self.globals.get(*place as usize).copied()
    }

    pub(crate) fn set_variable(&mut self, module: ModuleId, name: &str, value: Word) -> bool {
        let Some(place) = self.modules[module.0 as usize].places.get(name) else { return false };
        self.globals[*place as usize] = value;
        true
    }

    pub(crate) fn core_variable(&self, name: &str) -> Option<Word> {
        self.variable(CORE, name)
    }

    pub(crate) fn set_last_module(&mut self, module: ModuleId) {
        self.last_module = module;
    }

    /// Compiles a source in a module, and makes a closure of it.
    pub(crate) fn compile(
        &mut self,
        module: ModuleId,
        source: &str,
        what: compiler::What,
    ) -> Result<Gc<Closure>, Vec<CompileError>> {
        let state = &self.modules[module.0 as usize];
        let known: Vec<&str> = state.names.iter().map(String::as_str).collect();
        let name = state.name.clone();
        let compiled: bytecode::Module = compiler::compile_as(&name, source, &known, self.limits, what)?;
        self.link(module, &compiled).map_err(|message| {
            vec![CompileError { module: name, line: 1, message: format!("Error: {message}") }]
        })
    }

    /// Tells what is wrong with a source that the program, not the host, wanted to be compiled.
    pub(crate) fn report(&mut self, errors: Vec<CompileError>) {
        for error in &errors {
            (self.host.report)(error);
        }
        self.compile_errors = errors;
    }

    /// What an `import` does, up to running the module. An error in words.
    pub(crate) fn import(&mut self, importer: ModuleId, name: Word) -> Result<Import, String> {
        let asked = name.get::<Text>().map(|name| name.lossy().into_owned()).unwrap_or_default();
        if let Some(source) = self.host.modules.get(&asked) {
            if let Some(known) = self.module_ids.get(&asked) {
                self.last_module = *known;
                return Ok(Import::IsThere);
            }
            let source = source.clone();
            return self.load(&asked, &source);
        }
        let from = self.modules[importer.0 as usize].name.clone();
        let name = match self.host.loader.resolve(&from, &asked) {
            Ok(name) => name,
            Err(reason) => return Err(format!("Could not resolve module '{asked}': {reason}")),
        };
        if let Some(known) = self.module_ids.get(&name) {
            self.last_module = *known;
            return Ok(Import::IsThere);
        }
        let source = match self.host.loader.load(&name) {
            Ok(Some(source)) => source,
            Ok(None) => match crate::optional::source(&asked) {
                Some(source) => {
                    let name = asked.clone();
                    if let Some(known) = self.module_ids.get(&name) {
                        self.last_module = *known;
                        return Ok(Import::IsThere);
                    }
                    return self.load(&name, source);
                }
                None => return Err(format!("Could not load module '{name}'.")),
            },
            Err(reason) => return Err(format!("Could not load module '{name}': {reason}")),
        };
        self.load(&name, &source)
    }

    fn load(&mut self, name: &str, source: &str) -> Result<Import, String> {
        let module = self.module(name);
        match self.compile(module, source, compiler::What::Module) {
            Ok(closure) => Ok(Import::Run(closure)),
            Err(errors) => {
                self.forget_module(module);
                self.report(errors);
                Err(format!("Could not compile module '{name}'."))
            }
        }
    }

    /// A module that could not be compiled may be imported again. Its number stays unused.
    fn forget_module(&mut self, module: ModuleId) {
        let name = std::mem::take(&mut self.modules[module.0 as usize].name);
        self.module_ids.remove(&name);
    }

    /// What `import … for name` gives, of the module that was imported last.
    pub(crate) fn imported_variable(&mut self, name: Word) -> Result<Word, String> {
        let name = name.get::<Text>().map(|name| name.lossy().into_owned()).unwrap_or_default();
        let module = self.last_module;
        self.variable(module, &name).ok_or_else(|| {
            let of = self.modules[module.0 as usize].name();
            format!("Could not find a variable named '{name}' in module '{of}'.")
        })
    }
}
