//! Reads what Prometheus reads: its text format 0.0.4 and OpenMetrics 1.0, strictly where a scraper is strict.

use std::collections::{BTreeMap, BTreeSet};

use lab_kit::prelude::*;

/// One series: a name, its labels, and its value now.
#[derive(Debug, Clone)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// Everything that one `GET /metrics` gave.
#[derive(Debug, Clone)]
pub struct Exposition {
    pub samples: Vec<Sample>,
    types: BTreeMap<String, String>,
}

impl Exposition {
    /// Asks for `/metrics`, and reads the answer.
    pub async fn scrape(app: &App) -> CheckResult<Self> {
        let answer = app.get("/metrics").await?.expect_status(200)?;
        let kind = answer.media_type().unwrap_or_default();
        if !["text/plain", "application/openmetrics-text"].contains(&kind.as_str()) {
            return Err(answer
                .failure(format!("the Content-Type of /metrics is `{kind}`"))
                .expected("text/plain; version=0.0.4, or application/openmetrics-text"));
        }
        Self::parse(&answer.text()).map_err(|(number, problem)| {
            let line = answer.text().lines().nth(number).unwrap_or_default().to_owned();
            answer
                .failure(format!("line {} of /metrics cannot be read: {problem}", number + 1))
                .expected("lines such as `http_requests_total{status=\"200\"} 7`")
                .actual(line)
        })
    }

    /// The sum of all series of this name whose labels `fit`.
    pub fn sum(&self, name: &str, fit: impl Fn(&BTreeMap<String, String>) -> bool) -> f64 {
        // Sums begin at +0: the sum of nothing would be -0, and be shown so.
        self.samples.iter().filter(|s| s.name == name && fit(&s.labels)).fold(0.0, |sum, s| sum + s.value)
    }

    /// The type that a `# TYPE` line gives to this family, with or without the suffix of its samples.
    pub fn type_of(&self, family: &str) -> Option<&str> {
        let bare = family.strip_suffix("_total").unwrap_or(family);
        self.types.get(family).or_else(|| self.types.get(bare)).map(String::as_str)
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Reads the text; a problem comes with the number of its line, from 0.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let (mut samples, mut types, mut seen) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        for (number, line) in text.lines().enumerate() {
            let problem = |what: String| (number, what);
            if let Some(comment) = line.strip_prefix('#') {
                let mut words = comment.split_whitespace();
                if words.next() == Some("TYPE") {
                    let (Some(name), Some(kind)) = (words.next(), words.next()) else {
                        return Err(problem("a TYPE line names a metric and its type".into()));
                    };
                    if types.insert(name.to_owned(), kind.to_owned()).is_some() {
                        return Err(problem(format!("a second TYPE line for `{name}`")));
                    }
                }
            } else if !line.trim().is_empty() {
                let sample = sample(line).map_err(problem)?;
                if !seen.insert((sample.name.clone(), sample.labels.clone())) {
                    return Err(problem("the same series appears twice".into()));
                }
                samples.push(sample);
            }
        }
        Ok(Self { samples, types })
    }

    /// What is wrong with the histogram `name`: of each series, the buckets grow, and the last one is its count.
    pub fn histogram_problem(&self, name: &str) -> Option<String> {
        let mut series: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
        for sample in self.samples.iter().filter(|sample| sample.name == format!("{name}_bucket")) {
            let mut labels = sample.labels.clone();
            let Some(bound) = labels.remove("le").and_then(|le| number(&le)) else {
                return Some(format!("a `{name}_bucket` has no label `le` that is a number"));
            };
            series.entry(labels).or_default().push((bound, sample.value));
        }
        if series.is_empty() {
            return Some(format!("there is no `{name}_bucket`"));
        }
        for (labels, mut buckets) in series {
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            let Some(&(last, count)) = buckets.last() else { continue };
            let named = if labels.is_empty() { name.to_owned() } else { format!("{name} with {labels:?}") };
            if let Some([one, other]) = buckets.array_windows().find(|[one, other]| one.1 > other.1) {
                return Some(format!(
                    "the buckets of `{named}` are not cumulative: le=\"{}\" is {} and le=\"{}\" is {}, but each includes all those below it",
                    one.0, one.1, other.0, other.1
                ));
            }
            if last != f64::INFINITY {
                return Some(format!("`{named}` has no bucket le=\"+Inf\""));
            }
            if self.sum(&format!("{name}_count"), |other| *other == labels) != count {
                return Some(format!("`{name}_count` of `{named}` differs from its bucket le=\"+Inf\""));
            }
            if !self.samples.iter().any(|sample| sample.name == format!("{name}_sum") && sample.labels == labels) {
                return Some(format!("there is no `{name}_sum` for {labels:?}"));
            }
        }
        None
    }
}

fn sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("a name and a value, with a space between them, are missing")?;
    let (name, rest) = line.split_at(end);
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(valid) {
        return Err(format!("`{name}` is not a metric name"));
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    // A time stamp or an exemplar may follow.
    let value = rest.split_whitespace().next().ok_or("the value is missing")?;
    let value = number(value).ok_or_else(|| format!("`{value}` is not a number"))?;
    Ok(Sample { name: name.to_owned(), labels, value })
}

/// Labels up to the closing brace, and what follows it.
fn labels(text: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let (mut labels, mut rest) = (BTreeMap::new(), text.trim_start());
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, after) = rest.split_once('=').ok_or("a label without `=`")?;
        let after = after.trim_start().strip_prefix('"').ok_or("the value of a label stands in quotes")?;
        let (value, after) = quoted(after)?;
        if labels.insert(name.trim().to_owned(), value).is_some() {
            return Err(format!("the label `{}` stands there twice", name.trim()));
        }
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(rest) => rest.trim_start(),
            None if rest.starts_with('}') => rest,
            None => return Err("after a label comes a comma or `}`".into()),
        };
    }
}

/// Text up to the closing quote, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let (mut value, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, other @ ('\\' | '"'))) => value.push(other),
                _ => return Err("a backslash that escapes nothing".into()),
            },
            other => value.push(other),
        }
    }
    Err("a quote that does not end".into())
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        other => other.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a_total What\n# TYPE a_total counter\na_total{x=\"1\\\"2\",y=\"\\n\",} 3\na_total 4 1700000000\n\
        # TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 0.5\nh_count 2\n# EOF\n";

    #[test]
    fn both_formats_are_read() {
        let read = Exposition::parse(TEXT).unwrap();
        assert_eq!(read.sum("a_total", |_| true), 7.0);
        assert_eq!(read.samples[0].labels["x"], "1\"2");
        assert_eq!((read.type_of("a_total"), read.type_of("h")), (Some("counter"), Some("histogram")));
        assert_eq!(read.histogram_problem("h"), None);
    }

    #[test]
    fn what_a_scraper_refuses_is_refused() {
        for wrong in ["a", "a{x=1} 2", "a{x=\"1\" 2", "1a 2", "a two", "a 1\na 2", "# TYPE a"] {
            assert!(Exposition::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn buckets_that_do_not_add_up_are_seen() {
        let wrong = TEXT.replace("h_bucket{le=\"0.1\"} 1", "h_bucket{le=\"0.1\"} 9");
        assert!(Exposition::parse(&wrong).unwrap().histogram_problem("h").is_some());
        let endless = TEXT.replace("+Inf", "7");
        assert!(Exposition::parse(&endless).unwrap().histogram_problem("h").is_some());
    }
}
