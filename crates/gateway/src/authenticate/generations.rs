//! A memory by the digests of tokens, with a bound: two generations, the older forgotten as a whole when the younger is
//! full, so that forgetting costs nothing. It does not know what is remembered, nor for how long it holds.

use std::collections::HashMap;

use super::Digest;

/// See the module.
#[derive(Debug)]
pub(super) struct Generations<T> {
    /// In one generation.
    max: usize,
    young: HashMap<Digest, T>,
    old: HashMap<Digest, T>,
}

impl<T: Clone> Generations<T> {
    /// Of at most twice so many.
    pub(super) fn new(max: usize) -> Self {
        Self { max, young: HashMap::new(), old: HashMap::new() }
    }

    /// What is remembered, which is forgotten with its generation.
    pub(super) fn find(&self, digest: &Digest) -> Option<&T> {
        self.young.get(digest).or_else(|| self.old.get(digest))
    }

    /// What is remembered, which is remembered for longer since it is still used.
    pub(super) fn keep(&mut self, digest: &Digest) -> Option<T> {
        if let Some(known) = self.young.get(digest) {
            return Some(known.clone());
        }
        let known = self.old.remove(digest)?;
        self.add(*digest, known.clone());
        Some(known)
    }

    pub(super) fn add(&mut self, digest: Digest, known: T) {
        if self.young.len() >= self.max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, known);
    }

    /// How many are remembered in each, the younger first.
    #[cfg(test)]
    pub(super) fn lengths(&self) -> [usize; 2] {
        [self.young.len(), self.old.len()]
    }
}
