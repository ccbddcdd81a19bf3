//! `random`: numbers from a generator of 64 bits (PCG, by the crate `oorandom`), which a seed repeats.

use crate::{
    context::Context,
    machine::{ForeignExit, Registry},
    object::{Foreign, List, Text},
    word::Word,
};
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

pub(super) fn register(registry: &mut Registry) {
    registry.add_class("random", "Random", Arc::new(construct));
    registry.add_method("random", "Random", "float()", Arc::new(|context, args| with(context, args, float)));
    registry.add_method("random", "Random", "int()", Arc::new(|context, args| with(context, args, int)));
}

fn construct(context: &mut Context<'_>, args: &[Word]) -> Result<Word, ForeignExit> {
    let seed = match args.get(1) {
        None => context.machine().next_seed(),
        Some(seed) => match seed_of(*seed) {
            Some(seed) => seed,
            None => return Err(context.error_exit("Seed must be a number, a string, or a list of numbers.")),
        },
    };
    if let Some(object) = args[0].get::<Foreign>() {
        object.put(Box::new(oorandom::Rand64::new(u128::from(seed))));
    }
    Ok(args[0])
}

fn seed_of(value: Word) -> Option<u64> {
    if let Some(number) = value.as_number() {
        return Some(number.to_bits());
    }
    let mut hasher = rustc_hash::FxHasher::default();
    if let Some(text) = value.get::<Text>() {
        text.bytes().hash(&mut hasher);
        return Some(hasher.finish());
    }
    for item in value.get::<List>()?.to_vec() {
        item.as_number()?.to_bits().hash(&mut hasher);
    }
    Some(hasher.finish())
}

fn with(
    context: &mut Context<'_>,
    args: &[Word],
    draw: fn(&mut oorandom::Rand64) -> f64,
) -> Result<Word, ForeignExit> {
    let held = args[0].get::<Foreign>().and_then(|object| object.take().map(|held| (object, held)));
    let Some((object, mut held)) = held else {
        return Err(context.error_exit("The generator was not made by its constructor."));
    };
    let drawn = held.downcast_mut::<oorandom::Rand64>().map_or(0.0, draw);
    object.put(held);
    Ok(Word::number(drawn))
}

/// At least 0, and less than 1.
fn float(generator: &mut oorandom::Rand64) -> f64 {
    generator.rand_float()
}

/// Of 32 bits.
fn int(generator: &mut oorandom::Rand64) -> f64 {
    f64::from(generator.rand_u64() as u32)
}
