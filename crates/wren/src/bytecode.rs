//! What the compiler makes: functions of 32-bit instructions, and their constants.
//!
//! An instruction is a word: the [`Op`] in its low 8 bits, an operand in the 24 above. Those of calls are two operands, the
//! number of arguments in 8 bits and the symbol in 16. [`Op::Closure`] is followed by a word for each upvalue: its index,
//! and in the lowest bit whether it's a local of the function around. Jumps count from the word behind their own.
//!
//! A machine keeps a stack of values. Slot 0 of a frame is the receiver, or the function itself; arguments follow.

use std::fmt;

/// What an instruction does. `a` is its operand; what it takes from the stack stands before the arrow, what it leaves behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// `→ value`: constant `a`.
    Constant,
    /// `→ null`
    Null,
    /// `→ false`
    False,
    /// `→ true`
    True,
    /// `→ value`: slot `a` of the frame.
    LoadLocal,
    /// `value → value`: into slot `a`.
    StoreLocal,
    /// `→ value`: upvalue `a` of the closure.
    LoadUpvalue,
    /// `value → value`: into upvalue `a`.
    StoreUpvalue,
    /// `→ value`: variable `a` of the module.
    LoadModule,
    /// `value → value`: into variable `a` of the module.
    StoreModule,
    /// `→ value`: field `a` of slot 0. Fields are counted from the class's own first one.
    LoadThisField,
    /// `value → value`: into field `a` of slot 0.
    StoreThisField,
    /// `object → value`: field `a` of the object.
    LoadField,
    /// `value object → value`: into field `a` of the object.
    StoreField,
    /// `value →`
    Pop,
    /// `receiver arguments… → result`: calls the method of the symbol.
    Call,
    /// As [`Op::Call`], of the superclass. A word follows: the constant that the machine puts the superclass into.
    SuperCall,
    /// Goes `a` words ahead.
    Jump,
    /// Goes `a` words back.
    Loop,
    /// `value →`: goes ahead if it's false or null.
    JumpIf,
    /// `value → value`, and goes ahead, if it's false or null; otherwise `value →`.
    And,
    /// `value → value`, and goes ahead, if it's neither false nor null; otherwise `value →`.
    Or,
    /// `value →`: an upvalue that is open on it is closed.
    CloseUpvalue,
    /// `value →`: returns it.
    Return,
    /// `→ closure`: of the function in constant `a`.
    Closure,
    /// Makes a new object of the class in slot 0, and puts it there.
    Construct,
    /// As [`Op::Construct`], of a foreign class.
    ForeignConstruct,
    /// `name superclass → class`: with `a` fields of its own.
    Class,
    /// `name superclass → class`: a foreign one.
    ForeignClass,
    /// `class →`: the attributes of the class and of its methods are constant `a`.
    EndClass,
    /// `closure class →`: the method of symbol `a`. For a foreign one, its signature stands for the closure.
    Method,
    /// As [`Op::Method`], of the class itself.
    StaticMethod,
    /// `→ module`: loads the module that constant `a` names, and runs it if it's new; leaves what that gave.
    ImportModule,
    /// `→ value`: the variable that constant `a` names, of the module that was imported last.
    ImportVariable,
    /// `→ null`: the end of a module's code.
    EndModule,
}

/// All of them, in the order of their numbers.
const ALL: [Op; 35] = [
    Op::Constant,
    Op::Null,
    Op::False,
    Op::True,
    Op::LoadLocal,
    Op::StoreLocal,
    Op::LoadUpvalue,
    Op::StoreUpvalue,
    Op::LoadModule,
    Op::StoreModule,
    Op::LoadThisField,
    Op::StoreThisField,
    Op::LoadField,
    Op::StoreField,
    Op::Pop,
    Op::Call,
    Op::SuperCall,
    Op::Jump,
    Op::Loop,
    Op::JumpIf,
    Op::And,
    Op::Or,
    Op::CloseUpvalue,
    Op::Return,
    Op::Closure,
    Op::Construct,
    Op::ForeignConstruct,
    Op::Class,
    Op::ForeignClass,
    Op::EndClass,
    Op::Method,
    Op::StaticMethod,
    Op::ImportModule,
    Op::ImportVariable,
    Op::EndModule,
];

impl Op {
    /// The operation of an instruction.
    pub fn of(word: u32) -> Self {
        ALL.get((word & 0xff) as usize).copied().unwrap_or(Self::EndModule)
    }

    /// An instruction with an operand of 24 bits.
    pub fn with(self, operand: u32) -> u32 {
        operand << 8 | self as u32
    }

    /// A call's instruction.
    pub fn call(self, symbol: u16, arguments: u8) -> u32 {
        u32::from(symbol) << 16 | u32::from(arguments) << 8 | self as u32
    }
}

/// The operand of an instruction.
pub(crate) fn operand(word: u32) -> u32 {
    word >> 8
}

/// The number of arguments, and the symbol, of a call's instruction.
pub(crate) fn call_operands(word: u32) -> (u8, u16) {
    ((word >> 8) as u8, (word >> 16) as u16)
}

/// A value that a function has from the beginning.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// The superclass, which the machine knows when it makes the class.
    Superclass,
    /// A number.
    Number(f64),
    /// A text: bytes, mostly of UTF-8.
    String(Vec<u8>),
    /// A function in this one.
    Function(Box<Function>),
    /// The attributes of a class and its methods.
    Attributes(Box<ClassAttributes>),
}

/// What a program can see of what was said of a class and of its methods, by `#!`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassAttributes {
    /// Those of the class.
    pub class: Vec<Attribute>,
    /// Those of methods, by their signatures; of static ones with `static ` in front.
    pub methods: Vec<(String, Vec<Attribute>)>,
}

impl ClassAttributes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.class.is_empty() && self.methods.is_empty()
    }
}

/// Something that was said of a class or of a method.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The group that it's in, if it's in one.
    pub group: Option<String>,
    /// What it's called.
    pub key: String,
    /// Null, if there is none.
    pub value: AttributeValue,
    /// Whether the program can see it.
    pub at_runtime: bool,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// None.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text, or a name.
    String(Vec<u8>),
}

/// The code of a function, a method, or a module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// What it's called in a stack trace.
    pub name: String,
    /// How many arguments it takes.
    pub arity: u8,
    /// How many upvalues it has.
    pub upvalues: u32,
    /// How many slots a frame of it needs.
    pub slots: u32,
    /// The instructions.
    pub code: Vec<u32>,
    /// The line of each word of `code`.
    pub lines: Vec<u32>,
    /// What they refer to.
    pub constants: Vec<Constant>,
}

/// A variable at the top of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleVariable {
    /// Its name.
    pub name: String,
}

/// A module that was compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// The code at its top.
    pub main: Function,
    /// Its variables, those that were known before in front.
    pub variables: Vec<ModuleVariable>,
    /// The signatures of the methods that it calls and defines, by the numbers in its instructions.
    pub symbols: Vec<String>,
}

impl fmt::Display for Module {
    /// Its instructions, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = vec![&self.main];
        while let Some(function) = left.pop() {
            writeln!(f, "{} ({} arguments, {} slots):", function.name, function.arity, function.slots)?;
            let mut at = 0;
            while at < function.code.len() {
                at += self.write_one(f, function, at)?;
            }
            let inner = function.constants.iter().rev().filter_map(|constant| match constant {
                Constant::Function(function) => Some(&**function),
                _ => None,
            });
            left.extend(inner);
        }
        Ok(())
    }
}

impl Module {
    /// Writes the instruction at `at`, and gives how many words it has.
    fn write_one(
        &self,
        f: &mut fmt::Formatter<'_>,
        function: &Function,
        at: usize,
    ) -> Result<usize, fmt::Error> {
        let word = function.code[at];
        let (op, a) = (Op::of(word), operand(word));
        let line = function.lines[at];
        write!(f, "{line:5} {at:4} {op:?}")?;
        let words = match op {
            Op::Call | Op::SuperCall => {
                let (_, symbol) = call_operands(word);
                let signature = self.symbols.get(symbol as usize).map_or("?", |name| name.as_str());
                write!(f, " {signature}")?;
                if op == Op::SuperCall { 2 } else { 1 }
            }
            Op::Method | Op::StaticMethod => {
                write!(f, " {}", self.symbols.get(a as usize).map_or("?", |name| name.as_str()))?;
                1
            }
            Op::LoadModule | Op::StoreModule => {
                write!(
                    f,
                    " {}",
                    self.variables.get(a as usize).map_or("?", |variable| variable.name.as_str())
                )?;
                1
            }
            Op::Constant | Op::ImportModule | Op::ImportVariable => {
                match function.constants.get(a as usize) {
                    Some(Constant::Number(number)) => write!(f, " {number}")?,
                    Some(Constant::String(text)) => write!(f, " {:?}", String::from_utf8_lossy(text))?,
                    _ => write!(f, " {a}")?,
                }
                1
            }
            Op::Closure => {
                let Some(Constant::Function(inner)) = function.constants.get(a as usize) else {
                    return Ok(1);
                };
                write!(f, " {}", inner.name)?;
                let upvalues = inner.upvalues as usize;
                for word in &function.code[at + 1..at + 1 + upvalues] {
                    write!(f, " {}{}", if word & 1 == 1 { "local " } else { "upvalue " }, word >> 1)?;
                }
                1 + upvalues
            }
            Op::Jump | Op::JumpIf | Op::And | Op::Or => {
                write!(f, " to {}", at + 1 + a as usize)?;
                1
            }
            Op::Loop => {
                write!(f, " to {}", at + 1 - a as usize)?;
                1
            }
            Op::LoadLocal
            | Op::StoreLocal
            | Op::LoadUpvalue
            | Op::StoreUpvalue
            | Op::LoadThisField
            | Op::StoreThisField
            | Op::LoadField
            | Op::StoreField
            | Op::Class => {
                write!(f, " {a}")?;
                1
            }
            _ => 1,
        };
        writeln!(f)?;
        Ok(words)
    }
}
