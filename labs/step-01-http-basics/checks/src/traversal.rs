//! Task 7: names that lead out of the folder.

use lab_kit::prelude::*;

use crate::support::{Site, expect_refusal, listing, make_folder, read_file, write_file};

/// A folder with secrets around it.
struct Trap {
    site: Site,
    secret: String,
}

impl Trap {
    async fn set(lab: &Lab) -> CheckResult<Self> {
        let site = Site::start(lab).await?;
        let secret = format!("secret {}", lab.word());
        make_folder(&site.files.join("sub"))?;
        make_folder(&site.around.join("files-private"))?;
        write_file(&site.around.join("canary"), secret.as_bytes())?;
        write_file(&site.around.join("files-private/canary"), secret.as_bytes())?;
        Ok(Self { site, secret })
    }

    /// Names that lead from the server's folder to `file` outside of it, in as many ways as come to mind.
    fn ways_to(&self, file: &str) -> Vec<String> {
        let absolute = self.site.around.join(file).display().to_string();
        let mut ways: Vec<String> =
            ["../", "..%2F", "%2e%2e/", "%2E%2e%2f", ".%2e/", "sub/../../", "sub%2F..%2F..%2F", ".%2F..%2F"]
                .into_iter()
                .chain(["....//", "....%2F%2F", "..%5C", "..%00%2F", "%252e%252e%252f"])
                .map(|way| format!("{way}{file}"))
                .collect();
        ways.push(absolute.clone());
        ways.push(absolute.replace('/', "%2F"));
        ways.push(format!("..%2Ffiles-private%2F..%2F{file}"));
        ways
    }

    /// Fails the learner if anything outside the folder has changed.
    fn expect_untouched(&self, way: &str) -> CheckResult {
        let around = listing(&self.site.around)?;
        let canary = read_file(&self.site.around.join("canary"))?;
        if canary.as_deref() == Some(self.secret.as_bytes()) && around == "canary, files, files-private" {
            return Ok(());
        }
        Err(Failure::learner(format!("a request for `/files/{way}` changed what lies outside the folder"))
            .expected("nothing outside FILES_DIR created, changed or removed")
            .actual(format!("next to the folder there is now: {around}")))
    }
}

/// A name from outside must not lead out of the folder, however it is written (CWE-22, RFC 3986 §7.3).
#[check(title = "no file outside the folder is read", task = 7, points = 2, needs = ["file_read"],
        hints = ["Where does `/files/..%2Fsecret` lead, once it is decoded?",
                 "Decode first, then check. A name is one part of a path: it contains no `/` and no NUL, and is neither `.` nor `..`.",
                 "Joining an absolute path to a folder drops the folder. Comparing the beginnings of paths is not enough: `files-private` begins like `files`."])]
async fn traversal_read(lab: &Lab) -> CheckResult {
    let trap = Trap::set(lab).await?;
    let ways = trap.ways_to("canary").into_iter().chain(trap.ways_to("files-private/canary"));
    for way in ways {
        let leaks = |body: &[u8]| String::from_utf8_lossy(body).contains(&trap.secret);
        let answer = trap.site.app.get(format!("/files/{way}")).await?;
        answer.expect_body_where("free of anything from outside the folder", |body| !leaks(body))?;
    }
    Ok(())
}

/// What must not be read must not be written either (CWE-22, CWE-73).
#[check(title = "no file outside the folder is written or removed", task = 7, points = 1, needs = ["file_created", "file_deleted"],
        hints = ["Is the name checked for every method?", "Check it where the path is built, so that nobody can forget to."])]
async fn traversal_write(lab: &Lab) -> CheckResult {
    let trap = Trap::set(lab).await?;
    for way in trap.ways_to("canary").into_iter().chain(trap.ways_to(&lab.word())) {
        trap.site.app.put(format!("/files/{way}")).raw_body(lab.word()).await?;
        trap.expect_untouched(&way)?;
        trap.site.app.delete(format!("/files/{way}")).await?;
        trap.expect_untouched(&way)?;
    }
    Ok(())
}

/// A name that no file can have is the client's mistake, not the server's (RFC 9110 §15.5).
#[check(title = "impossible names are refused", task = 7, points = 1, needs = ["file_created"],
        hints = ["Which names lead away from the folder, to the folder itself, or nowhere?",
                 "Refuse them with 400, 403 or 404, for every method, before the file system sees them."])]
async fn bad_file_name(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let word = lab.word();
    let names =
        ["..", ".", "%2e%2e", "%2E", "", &format!("{word}%2Fx"), &format!("{word}%00"), &format!("{word}%00.txt")];
    for name in names {
        let answer = site.app.put(format!("/files/{name}")).raw_body(lab.word()).await?;
        // A server may also tidy up the path first and redirect, or find itself at `/files` or `/`.
        expect_refusal(answer, &[400, 403, 404])?;
    }
    expect_that(listing(&site.files)? == "nothing", format!("a refused name created a file: {}", listing(&site.files)?))
}
