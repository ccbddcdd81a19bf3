//! [`Tree`]: whose child each token is.
//!
//! All tokens that come from one stand in one tree, under one lock, so that nothing has an order in which to lock, and nothing
//! recurses. A token is in the tree as long as somebody has it and it is not cancelled:
//!
//! - one that goes leaves its children to its parent, so that a chain of parents that nobody has takes no memory;
//! - one that is cancelled takes its whole branch out with it.

use std::collections::{BTreeMap, BTreeSet};

/// A token's place in its tree. None is given twice.
pub(super) type Place = u64;

pub(super) struct Tree<T> {
    /// A map, as that gives memory back when tokens go, and a slab would not.
    nodes: BTreeMap<Place, Node<T>>,
    next: Place,
}

struct Node<T> {
    token: T,
    /// `None`: it has none, or had one that is gone.
    parent: Option<Place>,
    children: BTreeSet<Place>,
}

impl<T> Tree<T> {
    pub(super) fn new() -> Self {
        Self { nodes: BTreeMap::new(), next: 0 }
    }

    /// Adds a token below `parent`.
    pub(super) fn add(&mut self, parent: Option<Place>, token: T) -> Place {
        let place = self.next;
        self.next += 1;
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(&parent)) {
            parent.children.insert(place);
        }
        self.nodes.insert(place, Node { token, parent, children: BTreeSet::new() });
        place
    }

    /// Takes one token out, and leaves its children to its parent. `None` when it is out already.
    pub(super) fn remove(&mut self, place: Place) -> Option<T> {
        let Node { token, parent, children } = self.cut(place)?;
        for child in &children {
            if let Some(child) = self.nodes.get_mut(child) {
                child.parent = parent;
            }
        }
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(&parent)) {
            parent.children.extend(children);
        }
        Some(token)
    }

    /// Takes a token out with all that are below it; those above come first, and of one parent the oldest.
    pub(super) fn take_branch(&mut self, place: Place) -> Vec<T> {
        let mut branch = Vec::from_iter(self.cut(place));
        let mut seen = 0;
        while let Some(node) = branch.get_mut(seen) {
            let children = std::mem::take(&mut node.children);
            branch.extend(children.into_iter().filter_map(|child| self.nodes.remove(&child)));
            seen += 1;
        }
        branch.into_iter().map(|node| node.token).collect()
    }

    /// How many tokens are in it.
    #[cfg(all(test, not(ferry_loom)))]
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Takes a node out, and off its parent.
    fn cut(&mut self, place: Place) -> Option<Node<T>> {
        let node = self.nodes.remove(&place)?;
        if let Some(parent) = node.parent.and_then(|parent| self.nodes.get_mut(&parent)) {
            parent.children.remove(&place);
        }
        Some(node)
    }
}
