//! The sessions of a worker, each at a place that it keeps while it is there.
//!
//! Places grow by whole chunks and nothing is ever moved: a worker that takes its ten thousandth session does not copy
//! the others, and holds no memory of the size that it had before. It does not know sessions.

/// Places that are made at once: some tens of kilobytes, so that a worker with few sessions has little in vain.
const CHUNK: usize = 128;

/// See the module.
#[derive(Debug)]
pub(super) struct Places<T> {
    chunks: Vec<Box<[Option<T>]>>,
    /// Given back; the last one is given away first.
    free: Vec<usize>,
    /// Given away at least once.
    used: usize,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), used: 0 }
    }
}

impl<T> Places<T> {
    /// A place that is free, for [`Places::put`].
    pub(super) fn vacant(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            if self.used == self.chunks.len() * CHUNK {
                self.chunks.push((0..CHUNK).map(|_| None).collect());
            }
            self.used += 1;
            self.used - 1
        })
    }

    /// Puts a value at a place that [`Places::vacant`] gave.
    pub(super) fn put(&mut self, place: usize, value: T) {
        if let Some(slot) = self.slot(place) {
            *slot = Some(value);
        }
    }

    pub(super) fn get(&self, place: usize) -> Option<&T> {
        self.chunks.get(place / CHUNK)?[place % CHUNK].as_ref()
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        self.slot(place)?.as_mut()
    }

    /// Takes what is at a place, which is free from then on.
    pub(super) fn take(&mut self, place: usize) -> Option<T> {
        let value = self.slot(place)?.take()?;
        self.free.push(place);
        Some(value)
    }

    /// All places that were ever given away, taken or not.
    pub(super) fn all(&self) -> std::ops::Range<usize> {
        0..self.used
    }

    fn slot(&mut self, place: usize) -> Option<&mut Option<T>> {
        self.chunks.get_mut(place / CHUNK).map(|chunk| &mut chunk[place % CHUNK])
    }
}

#[cfg(test)]
mod tests;
