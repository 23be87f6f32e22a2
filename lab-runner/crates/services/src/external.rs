//! Servers that already run, and that a variable names.

use std::time::Duration;

use crate::connection::{ProbeReply, probe};
use crate::error::ProviderError;
use crate::provider::{Endpoint, Provided, Provider};
use crate::registry::ServiceId;

/// A server in the same network answers in milliseconds; one in another country within this.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Finds the server that the variable names, and makes sure who answers there.
pub(crate) fn start(service: ServiceId) -> Result<Provided, ProviderError> {
    let variable = service.variable("URL");
    let format = &service.description().url;
    let Some(url) = service.setting("URL") else {
        return Err(ProviderError::new(format!("{variable} is not set"))
            .hint(format!("set it to the URL of a server that you run, such as {}", format.example)));
    };
    let address = format.address(&url).map_err(|why| {
        ProviderError::new(format!("{variable} cannot be used: {why}"))
            .hint(format!("it looks like {}", format.example))
    })?;
    match probe(service, &address, None, ANSWER_TIMEOUT) {
        Ok(ProbeReply::Expected) => {
            let endpoint = Endpoint { url, provider: Provider::External, version: None, program: None };
            Ok(Provided { endpoint, instance: None, lease: None })
        }
        Ok(ProbeReply::Other(what)) => Err(ProviderError::new(format!(
            "the server at {address}, which {variable} names, is not {service}: it answered {what:?}"
        ))),
        Err(error) => {
            Err(ProviderError::new(format!("no {service} answers at {address}, which {variable} names: {error}"))
                .hint("start it (`docker compose --profile cloud up -d` starts all of them), or unset the variable"))
        }
    }
}
