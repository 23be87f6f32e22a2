//! Forms with files, as a browser sends them (RFC 7578; WHATWG HTML, "Multipart form data").

use bytes::Bytes;

use super::request::Request;

/// One field of a form.
#[derive(Debug, Clone)]
pub struct Part {
    name: String,
    file: Option<(String, String)>,
    content: Bytes,
}

impl Part {
    /// A field with a text.
    ///
    /// ```
    /// let title = lab_http::Part::text("title", "Hamlet");
    /// # let _ = title;
    /// ```
    pub fn text(name: impl Into<String>, text: impl AsRef<str>) -> Self {
        Self { name: name.into(), file: None, content: Bytes::copy_from_slice(text.as_ref().as_bytes()) }
    }

    /// A field with a file of this name and media type.
    ///
    /// ```
    /// let poster = lab_http::Part::file("poster", "hamlet.png", "image/png", b"\x89PNG");
    /// # let _ = poster;
    /// ```
    pub fn file(
        name: impl Into<String>,
        file_name: impl Into<String>,
        media_type: impl Into<String>,
        content: impl AsRef<[u8]>,
    ) -> Self {
        let file = Some((file_name.into(), media_type.into()));
        Self { name: name.into(), file, content: Bytes::copy_from_slice(content.as_ref()) }
    }

    fn head(&self) -> String {
        let name = quoted(&self.name);
        match &self.file {
            None => format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n"),
            Some((file_name, media_type)) => format!(
                "Content-Disposition: form-data; name=\"{name}\"; filename=\"{}\"\r\nContent-Type: {media_type}\r\n\r\n",
                quoted(file_name)
            ),
        }
    }
}

impl Request {
    /// Sends a form with files.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// use lab_http::Part;
    ///
    /// let app = lab.start().await?;
    /// let poster = Part::file("poster", "hamlet.png", "image/png", b"\x89PNG");
    /// app.post("/posters").multipart(&[Part::text("title", "Hamlet"), poster]).await?.expect_status(201)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn multipart(self, parts: &[Part]) -> Self {
        let boundary = boundary(parts);
        let mut body = Vec::new();
        for part in parts {
            body.extend_from_slice(format!("--{boundary}\r\n{}", part.head()).as_bytes());
            body.extend_from_slice(&part.content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        self.body(body, format!("multipart/form-data; boundary={boundary}"))
    }
}

/// A line that stands in none of the parts.
fn boundary(parts: &[Part]) -> String {
    let stands_in = |part: &Part, line: &str| part.content.windows(line.len()).any(|window| window == line.as_bytes());
    let mut number = 0_u64;
    loop {
        let line = format!("lab-kit-form-{number}");
        if !parts.iter().any(|part| stands_in(part, &line)) {
            return line;
        }
        number += 1;
    }
}

/// A name within double quotes, escaped as browsers do.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
