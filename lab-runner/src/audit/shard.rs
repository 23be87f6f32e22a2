//! One part of an audit or of a batch of submissions, so that several machines share it: `--shard 2/4`.

use std::fmt;
use std::str::FromStr;

/// Part `k` of `n`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    k: u32,
    n: u32,
}

impl Shard {
    /// Which one it is, and of how many.
    pub fn numbers(self) -> (u32, u32) {
        (self.k, self.n)
    }

    /// Keeps those of `items` that belong to this part. The parts are neighbours in the given order, as what stands
    /// together shares what has to be compiled for it, and `weight` says how much an item counts, so that the parts are
    /// of one size. Every machine comes to the same split, and each item belongs to exactly one part.
    pub fn keep<T>(self, items: Vec<T>, weight: impl Fn(&T) -> u64) -> Vec<T> {
        let total: u64 = items.iter().map(&weight).sum();
        let mut before = 0;
        let mut kept = Vec::new();
        for item in items {
            let own = weight(&item);
            // Where the middle of the item lies decides.
            let part = (2 * before + own) * u64::from(self.n) / (2 * total).max(1);
            before += own;
            if part == u64::from(self.k - 1) {
                kept.push(item);
            }
        }
        kept
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((k, n)) if (1..=n).contains(&k) => Ok(Self { k, n }),
            _ => Err("a shard is written k/n, such as 2/4 for the second of four".to_owned()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.k, self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn a_shard_is_one_of_several_counted_from_one() {
        assert_eq!("2/4".parse::<Shard>().unwrap().to_string(), "2/4");
        for text in ["0/4", "5/4", "1/0", "0/0", "4", "1/", "a/b", "-1/2", "1/2/3", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_item_belongs_to_one_shard_and_the_shards_weigh_the_same() {
        // Six heavy items among many light ones, as an audit has them.
        let items: Vec<u64> = (0..486).map(|number| if number % 81 == 0 { 23 } else { 1 }).collect();
        let total: u64 = items.iter().sum();
        for n in 1..=8 {
            let parts: Vec<Vec<u64>> = (1..=n).map(|k| Shard { k, n }.keep(items.clone(), |weight| *weight)).collect();
            assert_eq!(parts.concat(), items);
            let fair = total / u64::from(n);
            for part in parts {
                assert!(part.iter().sum::<u64>().abs_diff(fair) <= 23, "{n}");
            }
        }
        // More machines than work leaves some without any.
        let parts: Vec<Vec<u8>> = (1..=5).map(|k| Shard { k, n: 5 }.keep(vec![1, 2], |_| 1)).collect();
        assert_eq!(parts.concat(), [1, 2]);
    }
}
