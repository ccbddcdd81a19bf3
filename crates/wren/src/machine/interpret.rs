//! The interpreter: runs a fiber, and those that it goes on with, until the host is wanted.
//!
//! # What it leans on
//! - Code comes from the compiler. It has each function's stack within `slots`, names constants, upvalues, fields and slots
//!   that there are, and ends with a return. Debug builds check the stack's bounds; the fuzzer runs them.
//! - A frame's slots are on its fiber's stack: [`Fiber::has_slots`] is asked before a call. Only then does a stack move, and
//!   the pointers into it are taken anew.
//! - While it works, the fiber's place (`ip`, `sp`) is in variables here. It's put back (`store!`) before anything that looks
//!   at the fiber: safe points, errors, switches, the host's methods.
//! - At a safe point all that it holds is on the stack, or in a frame.

use super::{
    ForeignExit, Machine,
    arithmetic::{remainder, shift_left, shift_right, to_u32},
    code::Code,
    failing,
    failing::Failure,
    modules::Import,
    watch::Trouble,
};
use crate::{
    bytecode::{call_operands, operand},
    heap::Gc,
    object::{
        Class, Closure, Fiber, Foreign, Frame, Function, Instance, List, Method, ModuleId, Range, Text,
        Upvalue,
    },
    word::Word,
};

/// Why a primitive doesn't give a value. What it's about is in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Signal {
    /// An error of the program.
    Error,
    /// There is no room for what it would allocate.
    Memory,
}

/// How a run comes back.
pub(crate) enum Ended {
    /// A fiber that nobody had called came to its end.
    Finished { fiber: Gc<Fiber>, value: Word },
    /// A fiber waits for the host.
    Suspended { fiber: Gc<Fiber> },
}

impl Machine {
    /// Runs a fiber which has what it goes on with.
    pub(crate) fn run(&mut self, first: Gc<Fiber>) -> Result<Ended, Failure> {
        self.fiber = Some(first);
        if first.has_error() {
            // It's to go on with an error.
            self.raise(first, first.error.get())?;
        }
        // SAFETY: see the module's documentation: the code is the compiler's, and the stack's bounds are kept.
        unsafe { self.interpret() }
    }

    #[allow(
        unsafe_op_in_unsafe_fn,
        reason = "one contract holds for all of it: see the module's documentation"
    )]
    /// # Safety
    /// There is a running fiber, with a frame, and a value for what it waits for.
    unsafe fn interpret(&mut self) -> Result<Ended, Failure> {
        let Some(mut fiber) = self.fiber else { unreachable!("run sets it") };
        let mut closure: Gc<Closure>;
        let mut ip: *const u32;
        let mut base: *mut Word;
        let mut sp: *mut Word;
        let mut constants: *const Word;

        macro_rules! enter {
            ($frame:expr) => {{
                let frame: Frame = $frame;
                closure = frame.closure;
                ip = frame.ip;
                base = fiber.stack().add(frame.base);
                constants = closure.function.constants().as_ptr().cast();
            }};
        }
        // Takes the fiber's place in hand.
        macro_rules! resume {
            () => {{
                match fiber.frame() {
                    Some(frame) => enter!(frame),
                    None => unreachable!("what runs has a frame"),
                }
                sp = fiber.sp();
            }};
        }
        macro_rules! load {
            () => {{
                match self.fiber {
                    Some(next) => fiber = next,
                    None => return Ok(Ended::Suspended { fiber }),
                }
                resume!();
                // One that was transferred to with an error.
                if fiber.has_error() {
                    let error = fiber.error.get();
                    raise!(error)
                }
            }};
        }
        macro_rules! store {
            () => {{
                fiber.set_ip(ip);
                fiber.set_sp(sp);
            }};
        }
        macro_rules! raise {
            ($error:expr) => {{
                let error = $error;
                store!();
                self.raise(fiber, error)?;
                // Whoever caught it has no error.
                match self.fiber {
                    Some(next) => fiber = next,
                    None => unreachable!("somebody caught it"),
                }
                resume!();
                continue;
            }};
        }
        macro_rules! fail {
            ($message:expr) => {{
                let error = self.text($message);
                raise!(error)
            }};
        }
        macro_rules! trouble {
            ($trouble:expr) => {
                match $trouble {
                    Trouble::Stop(stop) => return Err(self.stop(fiber, stop)),
                    Trouble::Error(error) => raise!(error),
                }
            };
        }
        macro_rules! push {
            ($value:expr) => {{
                let value: Word = $value;
                debug_assert!(
                    (sp as usize) < base as usize + 8 * (closure.function.slots as usize),
                    "a function uses more slots than it asked for"
                );
                {
                    *sp = value;
                    sp = sp.add(1);
                }
            }};
        }
        macro_rules! pop {
            () => {{
                sp = sp.sub(1);
                *sp
            }};
        }
        macro_rules! peek {
            ($below:literal) => {
                *sp.sub(1 + $below)
            };
        }
        macro_rules! replace {
            ($count:literal, $value:expr) => {{
                let value: Word = $value;
                sp = sp.sub($count - 1);
                *sp.sub(1) = value;
            }};
        }
        macro_rules! local {
            ($index:expr) => {
                *base.add($index as usize)
            };
        }
        macro_rules! constant {
            ($index:expr) => {
                *constants.add($index as usize)
            };
        }
        // The word so far ahead of the next one.
        macro_rules! ahead {
            ($words:literal) => {
                *ip.add($words)
            };
        }
        macro_rules! skip {
            ($words:expr) => {
                ip = ip.add($words as usize)
            };
        }
        macro_rules! field {
            ($object:expr, $index:expr) => {{
                let object: Word = $object;
                let Some(header) = object.as_header() else { unreachable!("a method's receiver has fields") };
                {
                    Instance::field(
                        Gc::from_ptr(std::ptr::NonNull::new_unchecked(header.as_ptr().cast())),
                        $index as usize,
                    )
                }
            }};
        }
        // Two numbers give a value; for anything else the method is called.
        macro_rules! numbers {
            ($combine:expr) => {{
                let (left, right) = (peek!(1), peek!(0));
                if left.is_number() && right.is_number() {
                    let combine = $combine;
                    replace!(2, combine(left.bits_as_number(), right.bits_as_number()));
                    continue;
                }
                self.class_of(left)
            }};
        }
        // Of a local and what the next word names, if both are numbers; otherwise the local is loaded, as the first word says.
        macro_rules! local_numbers {
            ($operator:tt, $right:expr) => {{
                let (left, right) = (local!(operand(*ip.sub(1))), $right);
                if left.is_number() && right.is_number() {
                    push!(Word::computed(left.bits_as_number() $operator right.bits_as_number()));
                    skip!(2);
                } else {
                    push!(left);
                }
                continue;
            }};
        }
        macro_rules! compare_jump {
            ($compare:tt) => {{
                let (left, right) = (peek!(1), peek!(0));
                if left.is_number() && right.is_number() {
                    sp = sp.sub(2);
                    let distance = if left.bits_as_number() $compare right.bits_as_number() { 1 } else { 1 + operand(ahead!(0)) };
                    skip!(distance);
                    continue;
                }
                self.class_of(left)
            }};
        }
        macro_rules! equality {
            () => {{
                let (left, right) = (peek!(1), peek!(0));
                if left.is_number() && right.is_number() {
                    Some(left.bits_as_number() == right.bits_as_number())
                } else if !left.is_object() {
                    // Null, a truth value, or a number beside something else.
                    Some(left == right)
                } else {
                    match left.get::<Text>() {
                        Some(left) => Some(right.get::<Text>().is_some_and(|right| left.equals(&right))),
                        None => None,
                    }
                }
            }};
        }
        macro_rules! tick {
            () => {
                self.heap.ticks -= 1;
                if self.heap.ticks <= 0 {
                    store!();
                    if let Err(found) = self.look_up() {
                        trouble!(found);
                    }
                }
            };
        }

        // Enters code, whose receiver and arguments are on top of the stack.
        macro_rules! call {
            ($callee:expr, $args:expr) => {{
                let (callee, args): (Gc<Closure>, *mut Word) = ($callee, $args);
                tick!();
                let function = callee.function;
                let at = args.offset_from(fiber.stack()) as usize;
                let needed = at + function.slots as usize;
                fiber.set_ip(ip);
                if fiber.depth() >= self.max_depth {
                    fail!(failing::STACK_OVERFLOW);
                }
                if !fiber.has_slots(needed) {
                    fiber.set_sp(sp);
                    if !self.heap.has_room_for(needed * 16) {
                        fail!(failing::OUT_OF_MEMORY);
                    }
                    fiber.grow_stack(needed, &mut self.heap);
                    sp = fiber.sp();
                }
                let frame = Frame { closure: callee, ip: function.code().as_ptr().cast(), base: at };
                fiber.push_frame(frame, &mut self.heap);
                enter!(frame);
            }};
        }

        resume!();
        loop {
            let word = *ip;
            ip = ip.add(1);
            // What an arm gives is the class in which a call's method is looked up. All others go on by themselves.
            let class = match Code::of(word) {
                Code::Constant => {
                    push!(constant!(operand(word)));
                    continue;
                }
                Code::Null => {
                    push!(Word::NULL);
                    continue;
                }
                Code::False => {
                    push!(Word::FALSE);
                    continue;
                }
                Code::True => {
                    push!(Word::TRUE);
                    continue;
                }
                Code::LoadLocal => {
                    push!(local!(operand(word)));
                    continue;
                }
                Code::LoadLocals => {
                    push!(local!(operand(word)));
                    push!(local!(operand(ahead!(0))));
                    skip!(1);
                    continue;
                }
                Code::LoadLocalConstant => {
                    push!(local!(operand(word)));
                    push!(constant!(operand(ahead!(0))));
                    skip!(1);
                    continue;
                }
                Code::AddLocalConstant => local_numbers!(+, constant!(operand(ahead!(0)))),
                Code::SubtractLocalConstant => local_numbers!(-, constant!(operand(ahead!(0)))),
                Code::AddLocals => local_numbers!(+, local!(operand(ahead!(0)))),
                Code::StoreLocal => {
                    *base.add(operand(word) as usize) = peek!(0);
                    continue;
                }
                Code::StoreLocalPop => {
                    let value = pop!();
                    *base.add(operand(word) as usize) = value;
                    skip!(1);
                    continue;
                }
                Code::LoadUpvalue => {
                    push!(closure.upvalue(operand(word) as usize).get());
                    continue;
                }
                Code::StoreUpvalue => {
                    closure.upvalue(operand(word) as usize).set(peek!(0));
                    continue;
                }
                Code::LoadModule => {
                    push!(*self.globals.get_unchecked(operand(word) as usize));
                    continue;
                }
                Code::StoreModule => {
                    *self.globals.get_unchecked_mut(operand(word) as usize) = peek!(0);
                    continue;
                }
                Code::StoreModulePop => {
                    let value = pop!();
                    *self.globals.get_unchecked_mut(operand(word) as usize) = value;
                    skip!(1);
                    continue;
                }
                Code::LoadThisField => {
                    push!(*field!(*base, operand(word)));
                    continue;
                }
                Code::StoreThisField => {
                    *field!(*base, operand(word)) = peek!(0);
                    continue;
                }
                Code::StoreThisFieldPop => {
                    let value = pop!();
                    *field!(*base, operand(word)) = value;
                    skip!(1);
                    continue;
                }
                Code::LoadField => {
                    let value = *field!(peek!(0), operand(word));
                    replace!(1, value);
                    continue;
                }
                Code::StoreField => {
                    let object = pop!();
                    *field!(object, operand(word)) = peek!(0);
                    continue;
                }
                Code::Pop => {
                    sp = sp.sub(1);
                    continue;
                }
                Code::CallLocal => {
                    let receiver = local!(operand(word));
                    push!(receiver);
                    continue;
                }
                Code::CallThisField => {
                    let receiver = *field!(*base, operand(word));
                    push!(receiver);
                    continue;
                }
                Code::Call => self.class_of(*sp.sub(1 + call_operands(word).0 as usize)),
                Code::SuperCall => {
                    let superclass = constant!(ahead!(0)).get::<Class>();
                    skip!(1);
                    match superclass {
                        Some(superclass) => superclass,
                        None => unreachable!("a method's superclass is put there when it's bound"),
                    }
                }
                Code::Add => numbers!(|a: f64, b: f64| Word::computed(a + b)),
                Code::Subtract => numbers!(|a: f64, b: f64| Word::computed(a - b)),
                Code::Multiply => numbers!(|a: f64, b: f64| Word::computed(a * b)),
                Code::Divide => numbers!(|a: f64, b: f64| Word::computed(a / b)),
                Code::Remainder => numbers!(|a: f64, b: f64| Word::computed(remainder(a, b))),
                Code::Less => numbers!(|a: f64, b: f64| Word::boolean(a < b)),
                Code::LessEqual => numbers!(|a: f64, b: f64| Word::boolean(a <= b)),
                Code::Greater => numbers!(|a: f64, b: f64| Word::boolean(a > b)),
                Code::GreaterEqual => numbers!(|a: f64, b: f64| Word::boolean(a >= b)),
                Code::LessJump => compare_jump!(<),
                Code::LessEqualJump => compare_jump!(<=),
                Code::GreaterJump => compare_jump!(>),
                Code::GreaterEqualJump => compare_jump!(>=),
                Code::Equal => match equality!() {
                    Some(is) => {
                        replace!(2, Word::boolean(is));
                        continue;
                    }
                    None => self.class_of(peek!(1)),
                },
                Code::NotEqual => match equality!() {
                    Some(is) => {
                        replace!(2, Word::boolean(!is));
                        continue;
                    }
                    None => self.class_of(peek!(1)),
                },
                Code::EqualJump => match equality!() {
                    Some(is) => {
                        sp = sp.sub(2);
                        skip!(if is { 1 } else { 1 + operand(ahead!(0)) });
                        continue;
                    }
                    None => self.class_of(peek!(1)),
                },
                Code::NotEqualJump => match equality!() {
                    Some(is) => {
                        sp = sp.sub(2);
                        skip!(if is { 1 + operand(ahead!(0)) } else { 1 });
                        continue;
                    }
                    None => self.class_of(peek!(1)),
                },
                Code::BitAnd => numbers!(|a, b| Word::computed(f64::from(to_u32(a) & to_u32(b)))),
                Code::BitOr => numbers!(|a, b| Word::computed(f64::from(to_u32(a) | to_u32(b)))),
                Code::BitXor => numbers!(|a, b| Word::computed(f64::from(to_u32(a) ^ to_u32(b)))),
                Code::ShiftLeft => {
                    numbers!(|a, b| Word::computed(f64::from(shift_left(to_u32(a), to_u32(b)))))
                }
                Code::ShiftRight => {
                    numbers!(|a, b| Word::computed(f64::from(shift_right(to_u32(a), to_u32(b)))))
                }
                Code::Negate => {
                    let value = peek!(0);
                    if value.is_number() {
                        replace!(1, Word::computed(-value.bits_as_number()));
                        continue;
                    }
                    self.class_of(value)
                }
                Code::Not => {
                    let value = peek!(0);
                    if !value.is_object() {
                        replace!(1, Word::boolean(value.is_falsy()));
                        continue;
                    }
                    self.class_of(value)
                }
                Code::Subscript => {
                    let receiver = peek!(1);
                    if let (Some(list), Some(index)) = (receiver.get::<List>(), peek!(0).as_number()) {
                        let place = index as usize;
                        if let (Some(item), true) = (list.get(place), place as f64 == index) {
                            replace!(2, item);
                            continue;
                        }
                    }
                    self.class_of(receiver)
                }
                Code::SubscriptSet => {
                    let receiver = peek!(2);
                    if let (Some(list), Some(index)) = (receiver.get::<List>(), peek!(1).as_number()) {
                        let (place, value) = (index as usize, peek!(0));
                        if place as f64 == index && list.set(place, value) {
                            replace!(3, value);
                            continue;
                        }
                    }
                    self.class_of(receiver)
                }
                Code::Jump => {
                    skip!(operand(word));
                    continue;
                }
                Code::Loop => {
                    ip = ip.sub(operand(word) as usize);
                    tick!();
                    continue;
                }
                Code::JumpIf => {
                    if pop!().is_falsy() {
                        skip!(operand(word));
                    }
                    continue;
                }
                Code::And => {
                    if peek!(0).is_falsy() {
                        skip!(operand(word));
                    } else {
                        sp = sp.sub(1);
                    }
                    continue;
                }
                Code::Or => {
                    if peek!(0).is_falsy() {
                        sp = sp.sub(1);
                    } else {
                        skip!(operand(word));
                    }
                    continue;
                }
                Code::ForNext => {
                    let (sequence, iterator) = (local!(operand(word)), local!(operand(ahead!(0))));
                    let next = match sequence.as_header() {
                        Some(object) => for_next(object, iterator),
                        None => ForNext::Unknown,
                    };
                    match next {
                        ForNext::Unknown => push!(sequence),
                        ForNext::End => {
                            *base.add(operand(ahead!(0)) as usize) = Word::FALSE;
                            skip!(4 + operand(ahead!(3)));
                        }
                        ForNext::Next(iterator, value) => {
                            *base.add(operand(ahead!(0)) as usize) = iterator;
                            push!(value);
                            skip!(7);
                        }
                    }
                    continue;
                }
                Code::CloseUpvalue => {
                    fiber.close_upvalues(sp.sub(1));
                    sp = sp.sub(1);
                    continue;
                }
                Code::Return => {
                    let value = pop!();
                    fiber.close_upvalues(base);
                    match fiber.pop_frame() {
                        Some(frame) => {
                            {
                                *base = value;
                                sp = base.add(1);
                            }
                            enter!(frame);
                        }
                        None => {
                            let caller = fiber.take_caller();
                            fiber.end();
                            match caller {
                                None => {
                                    self.fiber = None;
                                    return Ok(Ended::Finished { fiber, value });
                                }
                                Some(caller) => {
                                    caller.set_result(value);
                                    self.fiber = Some(caller);
                                    load!();
                                }
                            }
                        }
                    }
                    continue;
                }
                Code::Closure => {
                    let Some(function) = constant!(operand(word)).get::<Function>() else {
                        unreachable!("the constant of a closure is its function")
                    };
                    let count = function.upvalues as usize;
                    let mut upvalues: Vec<Gc<Upvalue>> = Vec::with_capacity(count);
                    for index in 0..count {
                        let from = *ip.add(index);
                        let place = (from >> 1) as usize;
                        upvalues.push(if from & 1 == 1 {
                            Fiber::capture(fiber, base.add(place), &mut self.heap)
                        } else {
                            closure.upvalue(place)
                        });
                    }
                    skip!(count);
                    push!(Word::object(self.new_closure(function, upvalues.into_boxed_slice())));
                    continue;
                }
                Code::Construct => {
                    let Some(class) = (*base).get::<Class>() else {
                        unreachable!("a constructor's receiver is its class")
                    };
                    *base = Word::object(self.heap.alloc_instance(class));
                    continue;
                }
                Code::ForeignConstruct => {
                    let Some(class) = (*base).get::<Class>() else {
                        unreachable!("a constructor's receiver is its class")
                    };
                    let object = self.heap.alloc(Foreign::new(class));
                    *base = Word::object(object);
                    store!();
                    let arguments = std::slice::from_raw_parts(base, closure.function.arity as usize + 1);
                    if let Some(constructor) = class.foreign() {
                        match self.call_foreign(fiber, constructor, arguments) {
                            Ok(_) => {}
                            Err(ForeignExit::Error(error)) => raise!(error),
                            Err(ForeignExit::Stop(stop)) => return Err(self.stop(fiber, stop)),
                            Err(ForeignExit::Suspend) => {
                                fail!("A foreign constructor cannot suspend its fiber.")
                            }
                        }
                    }
                    continue;
                }
                Code::Class | Code::ForeignClass => {
                    let fields = (Code::of(word) == Code::Class).then(|| operand(word));
                    match self.define_class(peek!(1), peek!(0), fields, closure.function.module) {
                        Ok(class) => replace!(2, Word::object(class)),
                        Err(message) => fail!(&message),
                    }
                    continue;
                }
                Code::EndClass => {
                    let class = peek!(0);
                    let index = constant!(operand(word)).bits_as_number() as usize;
                    match self.set_attributes(class, closure.function, index) {
                        Ok(()) => sp = sp.sub(1),
                        Err(message) => fail!(&message),
                    }
                    continue;
                }
                Code::Method | Code::StaticMethod => {
                    let is_static = Code::of(word) == Code::StaticMethod;
                    let module: ModuleId = closure.function.module;
                    match self.define_method(peek!(0), peek!(1), operand(word), is_static, module) {
                        Ok(()) => sp = sp.sub(2),
                        Err(message) => fail!(&message),
                    }
                    continue;
                }
                Code::ImportModule => {
                    let name = constant!(operand(word));
                    store!();
                    match self.import(closure.function.module, name) {
                        Ok(Import::IsThere) => push!(Word::NULL),
                        Err(message) => fail!(&message),
                        Ok(Import::Run(module)) => {
                            push!(Word::object(module));
                            call!(module, sp.sub(1));
                        }
                    }
                    continue;
                }
                Code::ImportVariable => {
                    match self.imported_variable(constant!(operand(word))) {
                        Ok(value) => push!(value),
                        Err(message) => fail!(&message),
                    }
                    continue;
                }
                Code::EndModule => {
                    self.set_last_module(closure.function.module);
                    push!(Word::NULL);
                    continue;
                }
            };

            // A call.
            let (count, symbol) = call_operands(word);
            let count = count as usize;
            let args = sp.sub(count + 1);
            let callee = match class.method(symbol as usize) {
                Method::Primitive(primitive) => {
                    // It changes no stack, and what it's given stays where it is.
                    let arguments = std::slice::from_raw_parts(args, count + 1);
                    let mut given = primitive(self, arguments);
                    if matches!(given, Err(Signal::Memory)) {
                        store!();
                        if self.make_room(fiber) {
                            given = primitive(self, arguments);
                        }
                    }
                    match given {
                        Ok(value) => {
                            *args = value;
                            sp = args.add(1);
                            continue;
                        }
                        Err(Signal::Error) => {
                            let error = self.error;
                            raise!(error);
                        }
                        Err(Signal::Memory) => {
                            let error = self.no_room();
                            raise!(error);
                        }
                    }
                }
                Method::Block(callee) => callee,
                Method::Getter(index) => {
                    *args = *field!(*args, index);
                    continue;
                }
                Method::Setter(index) => {
                    let value = *args.add(1);
                    *field!(*args, index) = value;
                    *args = value;
                    sp = args.add(1);
                    continue;
                }
                Method::Call => {
                    let Some(callee) = (*args).get::<Closure>() else {
                        unreachable!("only functions have this method")
                    };
                    let arity = callee.function.arity as usize;
                    if arity > count {
                        fail!("Function expects more arguments.");
                    }
                    // Those that it doesn't take go.
                    sp = args.add(arity + 1);
                    callee
                }
                Method::Fiber(op) => {
                    let (receiver, argument) = (*args, if count == 0 { Word::NULL } else { *args.add(1) });
                    sp = args.add(1);
                    store!();
                    self.fiber = Some(fiber);
                    match self.switch(fiber, op, receiver, argument) {
                        Ok(()) => load!(),
                        Err(_) => {
                            let error = self.error;
                            raise!(error);
                        }
                    }
                    continue;
                }
                Method::Foreign(method) => {
                    store!();
                    let arguments = std::slice::from_raw_parts(args, count + 1);
                    let given = self.call_foreign(fiber, method, arguments);
                    // It waited, so its stack is where it was.
                    sp = args.add(1);
                    match given {
                        Ok(value) => *args = value,
                        Err(ForeignExit::Error(error)) => raise!(error),
                        Err(ForeignExit::Stop(stop)) => return Err(self.stop(fiber, stop)),
                        Err(ForeignExit::Suspend) => {
                            *args = Word::NULL;
                            store!();
                            fiber.is_suspended.set(true);
                            fiber.is_awaiting.set(true);
                            self.fiber = None;
                            return Ok(Ended::Suspended { fiber });
                        }
                    }
                    continue;
                }
                Method::None => {
                    let message = format!(
                        "{} does not implement '{}'.",
                        class.name().lossy(),
                        self.symbols.name(symbol as usize)
                    );
                    fail!(&message);
                }
            };

            call!(callee, args);
        }
    }
}

enum ForNext {
    /// The sequence is one of the program's.
    Unknown,
    End,
    /// The iterator, and the value.
    Next(Word, Word),
}

#[inline(always)]
fn for_next(sequence: Gc<crate::object::Header>, iterator: Word) -> ForNext {
    if let Some(range) = sequence.downcast::<Range>() {
        if !iterator.is_number() && !iterator.is_null() {
            return ForNext::Unknown;
        }
        return match range.next(iterator.as_number()) {
            Some(next) => ForNext::Next(Word::computed(next), Word::computed(next)),
            None => ForNext::End,
        };
    }
    if let Some(list) = sequence.downcast::<List>() {
        let index = match iterator.as_number() {
            Some(last) => last as usize + 1,
            None if iterator.is_null() => 0,
            None => return ForNext::Unknown,
        };
        return match list.get(index) {
            Some(item) => ForNext::Next(Word::computed(index as f64), item),
            None => ForNext::End,
        };
    }
    ForNext::Unknown
}
