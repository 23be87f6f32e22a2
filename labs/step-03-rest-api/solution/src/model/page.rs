//! Lists, a piece at a time.

/// Which piece of a list is wanted.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The most items.
    pub limit: i64,
    /// Where the piece before ended. Only the store knows what it means.
    pub after: Option<String>,
}

/// A piece of a list.
#[derive(Debug, Clone)]
pub struct Slice<T> {
    /// Its items, in order.
    pub items: Vec<T>,
    /// Where it ends, if something follows.
    pub end: Option<String>,
}

impl Listing {
    /// One more than is shown: it tells whether something follows.
    pub fn rows_to_read(&self) -> i64 {
        self.limit + 1
    }

    /// Makes a slice of the rows that were read; `cursor` names the place after an item.
    pub fn slice<T>(&self, mut rows: Vec<T>, cursor: impl FnOnce(&T) -> String) -> Slice<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let end = rows.last().filter(|_| more).map(cursor);
        Slice { items: rows, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(limit: i64, rows: std::ops::Range<i64>) -> (Vec<i64>, Option<String>) {
        let listing = Listing { limit, after: None };
        let rows = rows.take(usize::try_from(listing.rows_to_read()).unwrap_or_default()).collect();
        let slice = listing.slice(rows, ToString::to_string);
        (slice.items, slice.end)
    }

    #[test]
    fn a_slice_ends_where_something_follows() {
        assert_eq!(slice(2, 0..3), (vec![0, 1], Some("1".into())));
    }

    #[test]
    fn a_full_slice_is_the_last_if_nothing_follows() {
        assert_eq!(slice(3, 0..3), (vec![0, 1, 2], None));
        assert_eq!(slice(3, 0..0), (vec![], None));
    }
}
