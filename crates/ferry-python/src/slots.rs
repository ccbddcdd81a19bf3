//! [`Slots`]: a collection whose items are known by their place, until it's over.

/// Items at places that stay the same. Once it's [over](Self::end) nothing can be put in.
pub(crate) struct Slots<T> {
    places: Vec<Option<T>>,
    free: Vec<usize>,
    is_over: bool,
}

/// So much room stays reserved when nothing is held.
const ROOM: usize = 1024;

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new(), is_over: false }
    }
}

impl<T> Slots<T> {
    /// Puts `item` in, and gives its place.
    ///
    /// # Errors
    /// The item comes back when it's all over.
    pub(crate) fn keep(&mut self, item: T) -> Result<usize, T> {
        if self.is_over {
            return Err(item);
        }
        if let Some(place) = self.free.pop() {
            self.places[place] = Some(item);
            return Ok(place);
        }
        self.places.push(Some(item));
        Ok(self.places.len() - 1)
    }

    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        self.places.get(place)?.as_ref()
    }

    /// Takes out what stands at `place`.
    pub(crate) fn release(&mut self, place: usize) -> Option<T> {
        let item = self.places.get_mut(place)?.take()?;
        self.free.push(place);
        if self.free.len() == self.places.len() {
            // All are free: what a burst needed is given back.
            self.places.clear();
            self.free.clear();
            self.places.shrink_to(ROOM);
            self.free.shrink_to(ROOM);
        }
        Some(item)
    }

    /// Takes out all, for good.
    pub(crate) fn end(&mut self) -> impl Iterator<Item = T> + use<T> {
        let ended = std::mem::replace(self, Self { is_over: true, ..Self::default() });
        ended.places.into_iter().flatten()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_found_at_its_place_until_it_is_released() {
        let mut slots = Slots::default();
        let (a, b) = (slots.keep('a').unwrap(), slots.keep('b').unwrap());
        assert_eq!((slots.get(a), slots.get(b), slots.get(9)), (Some(&'a'), Some(&'b'), None));
        assert_eq!((slots.release(a), slots.release(a), slots.get(a)), (Some('a'), None, None));
        let c = slots.keep('c').unwrap();
        assert_eq!((c, slots.get(c)), (a, Some(&'c')), "a place that is free is used again");
        assert_eq!(slots.iter().collect::<String>(), "cb");
    }

    #[test]
    fn what_is_over_takes_nothing_in() {
        let mut slots = Slots::default();
        let place = slots.keep(1).unwrap();
        assert_eq!(slots.end().collect::<Vec<_>>(), [1]);
        assert_eq!((slots.keep(2), slots.release(place), slots.get(place)), (Err(2), None, None));
    }
}
