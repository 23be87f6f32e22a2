//! Chromium, driven through its WebDriver server.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::Url;

/// A browser without a window. It ends when it is dropped.
pub struct Browser {
    pub page: Client,
    driver: Child,
}

/// The programs, where they are.
fn programs() -> Option<[&'static str; 2]> {
    let is_there = |name: &&str| {
        std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
    };
    let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(is_there)?;
    Some([browser, ["chromedriver"].into_iter().find(is_there)?])
}

impl Browser {
    /// Starts it, with a page of `width` by `height` pixels. None, and it is said, where there is none: in CI that is a
    /// failure, unless `LAB_TESTS_WITHOUT` says that it is known.
    #[expect(clippy::print_stderr, reason = "a test that proves nothing says so")]
    pub async fn start(width: u32, height: u32) -> Option<Self> {
        let Some([browser, driver]) = programs() else {
            let why = "Chromium and its chromedriver are not installed";
            let known =
                std::env::var("LAB_TESTS_WITHOUT").is_ok_and(|names| names.split(',').any(|name| name == "chromium"));
            let strict = std::env::var_os("CI").is_some() && cfg!(target_os = "linux");
            assert!(known || !strict, "{why}");
            eprintln!("not tried: {why}");
            return None;
        };
        let mut driver = Command::new(driver);
        let mut driver = driver.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = |line: String| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok();
        let port = lines.map_while(Result::ok).find_map(port).expect("chromedriver tells its port");
        let size = format!("--window-size={width},{height}");
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", &size];
        let binary = Command::new("which").arg(browser).output().ok();
        let binary = binary.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let wanted = json!({
            "goog:chromeOptions": {"args": arguments, "binary": binary},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let address = format!("http://127.0.0.1:{port}");
        let page = builder.capabilities(wanted.as_object().unwrap().clone()).connect(&address).await;
        let browser = Self { page: page.expect("Chromium starts"), driver };
        // The window has a frame, the page has not.
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        browser.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        Some(browser)
    }

    /// What `script` returns.
    pub async fn run(&self, script: &str) -> Value {
        self.page.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// A command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.page.issue_cmd(Extension("goog/cdp/execute", body)).await.unwrap()
    }

    /// Whether the page is shown dark.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// The page as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        self.page.screenshot().await.unwrap()
    }

    /// What was written to the console, and the addresses that were asked for, since this was asked last.
    pub async fn seen(&self) -> (Vec<String>, Vec<String>) {
        let log = |kind: &str| self.page.issue_cmd(Extension("se/log", json!({"type": kind})));
        let console = log("browser").await.unwrap();
        let console = console.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned());
        let events = log("performance").await.unwrap();
        let asked = events.as_array().unwrap().iter().filter_map(|entry| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            (message["method"] == "Network.requestWillBeSent")
                .then(|| message["params"]["request"]["url"].as_str().unwrap_or_default().to_owned())
        });
        (console.collect(), asked.collect())
    }

    /// Ends it in order.
    pub async fn end(self) {
        self.page.clone().close().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its driver.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A command of chromedriver's own, behind the session's address.
#[derive(Debug)]
struct Extension(&'static str, Value);

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.1.to_string()))
    }
}
