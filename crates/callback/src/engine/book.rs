//! A table of things that have a name. The index holds no names, only where the entry is: a name is stored once, and what
//! belongs together refers to each other by [`Slot`] and is found without a look-up.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::num::NonZeroU32;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Entries that lie together. A book grows page by page, so that nothing is moved when it grows, however large it is.
const PAGE: usize = 1024;

/// Something with a name that does not change.
pub(super) trait Named {
    type Name: Hash + Eq;
    fn name(&self) -> &Self::Name;
}

/// Where an entry is, as long as it is in its book; afterwards another may be there. To be held only by what goes when the
/// entry goes.
pub(super) struct Slot<T> {
    /// One more than the number of the entry, so that an optional slot takes no more room than a slot.
    place: NonZeroU32,
    of: PhantomData<fn() -> T>,
}

impl<T> Slot<T> {
    fn new(number: u32) -> Self {
        Self { place: NonZeroU32::MIN.saturating_add(number), of: PhantomData }
    }

    fn number(self) -> u32 {
        self.place.get() - 1
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Slot<T> {}

impl<T> PartialEq for Slot<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for Slot<T> {}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// The table.
#[derive(Debug)]
pub(super) struct Book<T: Named> {
    index: HashTable<u32>,
    pages: Pages<T>,
    free: Vec<u32>,
}

impl<T: Named> Default for Book<T> {
    fn default() -> Self {
        Self { index: HashTable::new(), pages: Pages(Vec::new()), free: Vec::new() }
    }
}

#[derive(Debug)]
struct Pages<T>(Vec<Vec<Option<T>>>);

impl<T: Named> Pages<T> {
    fn get(&self, number: u32) -> Option<&T> {
        self.0.get(number as usize / PAGE)?.get(number as usize % PAGE)?.as_ref()
    }

    fn place(&mut self, number: u32) -> Option<&mut Option<T>> {
        self.0.get_mut(number as usize / PAGE)?.get_mut(number as usize % PAGE)
    }

    /// Adds a place at the end.
    fn push(&mut self, entry: T) -> u32 {
        if self.0.last().is_none_or(|page| page.len() == PAGE) {
            self.0.push(Vec::new());
        }
        let full = self.0.len().saturating_sub(1) * PAGE;
        let Some(page) = self.0.last_mut() else { return 0 };
        page.push(Some(entry));
        (full + page.len() - 1) as u32
    }

    fn hash(&self, number: u32) -> u64 {
        self.get(number).map_or(0, |entry| hash(entry.name()))
    }
}

/// The same in every run, so that the same inputs always cost the same.
fn hash(name: &impl Hash) -> u64 {
    FixedState::default().hash_one(name)
}

impl<T: Named> Book<T> {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn find(&self, name: &T::Name) -> Option<Slot<T>> {
        let is_it = |number: &u32| self.pages.get(*number).is_some_and(|entry| entry.name() == name);
        self.index.find(hash(name), is_it).map(|number| Slot::new(*number))
    }

    pub(super) fn named(&self, name: &T::Name) -> Option<&T> {
        self.get(self.find(name)?)
    }

    pub(super) fn get(&self, slot: Slot<T>) -> Option<&T> {
        self.pages.get(slot.number())
    }

    pub(super) fn get_mut(&mut self, slot: Slot<T>) -> Option<&mut T> {
        self.pages.place(slot.number())?.as_mut()
    }

    /// Takes an entry whose name is not in the book.
    pub(super) fn insert(&mut self, entry: T) -> Slot<T> {
        let hash = hash(entry.name());
        let number = match self.free.pop() {
            Some(number) => {
                if let Some(place) = self.pages.place(number) {
                    *place = Some(entry);
                }
                number
            }
            None => self.pages.push(entry),
        };
        let pages = &self.pages;
        self.index.insert_unique(hash, number, |number| pages.hash(*number));
        Slot::new(number)
    }

    pub(super) fn remove(&mut self, slot: Slot<T>) -> Option<T> {
        let number = slot.number();
        let entry = self.pages.place(number)?.take()?;
        if let Ok(found) = self.index.find_entry(hash(entry.name()), |other| *other == number) {
            found.remove();
        }
        self.free.push(number);
        Some(entry)
    }

    /// All entries, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.0.iter().flatten().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.pages.0.iter_mut().flatten().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{Book, Named, PAGE};

    #[derive(Debug, PartialEq)]
    struct Entry(usize, &'static str);

    impl Named for Entry {
        type Name = usize;
        fn name(&self) -> &usize {
            &self.0
        }
    }

    #[test]
    fn entries_are_found_by_name_and_by_slot_across_pages() {
        let mut book = Book::default();
        let slots: Vec<_> = (0..3 * PAGE).map(|name| book.insert(Entry(name, ""))).collect();
        for (name, slot) in slots.iter().enumerate() {
            assert_eq!(book.find(&name), Some(*slot));
            assert_eq!(book.get(*slot), Some(&Entry(name, "")));
        }
        assert_eq!((book.len(), book.iter().count()), (3 * PAGE, 3 * PAGE));
        assert_eq!(book.pages.0.len(), 3, "pages are filled");
        assert_eq!(book.find(&(3 * PAGE)), None);
    }

    #[test]
    fn names_are_told_apart_by_their_hash() {
        let hashes: std::collections::BTreeSet<u64> = (0..1000).map(|name| super::hash(&name)).collect();
        assert_eq!(hashes.len(), 1000, "else every look-up would compare every name");
    }

    #[test]
    fn a_removed_entry_is_gone_and_its_place_is_used_again() {
        let mut book = Book::default();
        let (first, second) = (book.insert(Entry(1, "first")), book.insert(Entry(2, "second")));
        assert_eq!(book.remove(first), Some(Entry(1, "first")));
        assert_eq!(book.remove(first), None);
        assert_eq!((book.find(&1), book.get(first)), (None, None));
        let third = book.insert(Entry(3, "third"));
        assert_eq!(third, first, "no book grows because entries come and go");
        assert_eq!(book.named(&3), Some(&Entry(3, "third")));
        assert_eq!(book.get(second), Some(&Entry(2, "second")));
    }
}
