//! What the grader's requests say of who sends them.

/// The clients that requests may be of, as `User-Agent` names them. Each check goes by one of these names, which the seed
/// draws: a server that knows the grader by its name answers few of its checks. They are short: screens show them.
pub const AGENTS: [&str; 8] = [
    "curl/8.14.1",
    "Wget/1.25.0",
    "HTTPie/3.2.4",
    "axios/1.12.2",
    "okhttp/4.12",
    "undici/7.16",
    "aiohttp/3.12",
    "reqwest/0.12",
];
