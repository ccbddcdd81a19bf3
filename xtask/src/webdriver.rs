//! A browser that a test drives: the few commands of W3C's WebDriver that are needed, over HTTP to chromedriver.
//!
//! The browser and its driver end with the [`Session`], also when a test fails.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::platforms::browser::{self, Browser};

/// How long a script may take, in milliseconds.
const PATIENCE: u64 = 60_000;
/// How long a command may take, the start of the browser among them.
const COMMAND: Duration = Duration::from_secs(90);

/// One browser with one page.
pub(crate) struct Session {
    agent: ureq::Agent,
    driver: Child,
    /// The address of the session's commands.
    base: String,
}

impl Session {
    /// Starts a driver and a browser.
    pub(crate) fn start(programs: &Browser) -> Result<Self> {
        let mut driver = Command::new(&programs.driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} could not be started", programs.driver.display()))?;
        let port = match driver_port(&mut driver) {
            Ok(port) => port,
            Err(error) => {
                end(&mut driver);
                return Err(error);
            }
        };
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(COMMAND)).build(),
        );
        let mut session = Self { agent, driver, base: format!("http://127.0.0.1:{port}") };
        let mut capabilities = browser::capabilities(&programs.browser);
        capabilities["timeouts"] = json!({"script": PATIENCE});
        let made = session.post("/session", json!({"capabilities": {"alwaysMatch": capabilities}}))?;
        let id = made["sessionId"].as_str().context("the driver gave no session")?;
        session.base = format!("{}/session/{id}", session.base);
        session.post("/window/rect", json!({"width": 1100, "height": 900}))?;
        Ok(session)
    }

    /// Opens a page, and waits until it has loaded.
    pub(crate) fn open(&self, url: &str) -> Result<()> {
        self.post("/url", json!({"url": url})).map(drop)
    }

    /// Runs the body of an async function in the page, with `arguments`, and gives what it returns.
    pub(crate) fn run(&self, body: &str, arguments: Value) -> Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1];\n\
             (async (...args) => {{ {body} }})(...Array.prototype.slice.call(arguments, 0, -1))\n\
             .then((value) => done({{ value }}), (error) => done({{ error: String(error && error.stack || error) }}));"
        );
        let mut ended = self.post("/execute/async", json!({"script": script, "args": arguments}))?;
        match ended.get("error") {
            Some(error) => bail!("in the page: {}", error.as_str().unwrap_or("an error")),
            None => Ok(ended["value"].take()),
        }
    }

    /// Clicks what this CSS selector finds, as a person would.
    pub(crate) fn click(&self, selector: &str) -> Result<()> {
        let found = self.post("/element", json!({"using": "css selector", "value": selector}))?;
        let element = found.as_object().and_then(|found| found.values().next()?.as_str().map(str::to_owned));
        let element = element.with_context(|| format!("the page has no {selector}"))?;
        self.post(&format!("/element/{element}/click"), json!({})).map(drop)
    }

    /// The text of what this CSS selector finds.
    pub(crate) fn text(&self, selector: &str) -> Result<String> {
        let text = self.run("return document.querySelector(args[0]).textContent", json!([selector]))?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the text of what `selector` finds matches `pattern`, a regular expression of JavaScript's.
    pub(crate) fn wait_for_text(&self, selector: &str, pattern: &str) -> Result<String> {
        const WAIT: &str = "
            const element = document.querySelector(args[0]);
            const pattern = new RegExp(args[1]);
            return await new Promise((found, late) => {
                const look = () => pattern.test(element.textContent) && found(element.textContent);
                const observer = new MutationObserver(look);
                observer.observe(element, { characterData: true, childList: true, subtree: true });
                setTimeout(() => late(new Error(
                    `${args[0]} says ${JSON.stringify(element.textContent)}, not what matches ${pattern}`)), 30000);
                look();
            });";
        let text = self.run(WAIT, json!([selector, pattern]))?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// What the page looks like, as a PNG file.
    pub(crate) fn screenshot(&self) -> Result<Vec<u8>> {
        let picture = self.get("/screenshot")?;
        let picture = picture.as_str().context("the driver gave no picture")?;
        BASE64_STANDARD.decode(picture).context("the driver's picture")
    }

    fn get(&self, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        value_of(self.agent.get(&url).call().context("chromedriver")?)
    }

    fn post(&self, path: &str, body: Value) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        value_of(self.agent.post(&url).send_json(body).context("chromedriver")?)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The browser ends with its session, and the driver then; if it can't be asked, there is nothing left to end.
        let _ = self.agent.delete(&self.base).call();
        end(&mut self.driver);
    }
}

/// The port in the driver's first lines.
fn driver_port(driver: &mut Child) -> Result<u16> {
    let lines = driver.stdout.take().context("chromedriver's output was not piped")?;
    for line in BufReader::new(lines).lines() {
        if let Some(port) = port_of(&line?) {
            return Ok(port);
        }
    }
    bail!("chromedriver ended before it named its port")
}

fn port_of(line: &str) -> Option<u16> {
    line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
}

fn end(driver: &mut Child) {
    // One that has ended by itself needs neither.
    let _ = driver.kill();
    let _ = driver.wait();
}

fn value_of(mut answer: ureq::http::Response<ureq::Body>) -> Result<Value> {
    let mut answer: Value =
        answer.body_mut().with_config().limit(64 << 20).read_json().context("chromedriver's answer")?;
    let value = answer["value"].take();
    match value.get("error").and_then(Value::as_str) {
        // A script's own object has an error as well, but no stack trace beside it.
        Some(error) if value.get("stacktrace").is_some() => {
            bail!("chromedriver: {error}: {}", value["message"].as_str().unwrap_or_default())
        }
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_in_one_of_the_first_lines() {
        assert_eq!(port_of("ChromeDriver was started successfully on port 40123."), Some(40123));
        assert_eq!(port_of("Starting ChromeDriver 156.0 on port 0"), None);
    }
}
