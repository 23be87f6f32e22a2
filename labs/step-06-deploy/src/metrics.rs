//! What a monitoring system asks for.

use prometheus_client::registry::Registry;

/// The media type of [`Metrics::encode`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    registry: Registry,
    // TODO(step-06.7): a `Family` of counters, one of histograms, and a counter of panics. Register them: `encode` writes
    // what is registered. Count requests in `http/observe.rs`.
}

impl Metrics {
    /// All of it as text.
    ///
    /// # Errors
    /// A metric cannot be written as text.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
