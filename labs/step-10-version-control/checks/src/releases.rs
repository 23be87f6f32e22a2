//! Task 4: tags that others build from.

use lab_kit::prelude::*;

use crate::support::signature::{GIT, Hash, Key, tag};
use crate::support::{History, Host, Local, Setup, lines};

/// A host that knows two keys, and what is pushed to it.
struct Releases<'a> {
    host: Host<'a>,
    tip: String,
    keys: [Key; 2],
}

impl<'a> Releases<'a> {
    async fn new(lab: &'a Lab) -> CheckResult<Self> {
        let keys = [Key::new(lab), Key::new(lab)];
        let setup = Setup::new(lab)?.signer(&keys[0]).signer(&keys[1]);
        let (host, tip) = Host::with_demo(lab, setup).await?;
        Ok(Self { host, tip, keys })
    }

    /// Makes a tag called `name` that `key` has signed, as git does it.
    async fn signed(&self, local: &Local<'_>, name: &str, key: &Key, hash: Hash) -> CheckResult<String> {
        let content = tag(self.host.lab, name, &self.tip);
        let signature = key.sign(content.as_bytes(), GIT, hash);
        local.tag(name, &(content + &signature)).await
    }
}

/// A tag that is signed says who vouches for what it leads to (git-tag(1), "--sign"; OpenSSH's PROTOCOL.sshsig).
#[check(title = "a release that somebody has signed", task = 4, points = 3, needs = ["push"],
        hints = ["Which bytes of the tag object are signed, and where do they end?",
                 "What is signed is not the message's hash alone: PROTOCOL.sshsig says what stands in front of it.",
                 "The file of allowed signers has comments and empty lines, and a key may be the second of two."])]
async fn tag_signed(lab: &Lab) -> CheckResult {
    let releases = Releases::new(lab).await?;
    let (host, keys) = (&releases.host, &releases.keys);
    let local = host.mirror("demo").await?;
    for (name, key, hash) in
        [("v1.0", &keys[0], Hash::Sha512), ("v1.1", &keys[1], Hash::Sha512), ("v2.0-rc.1", &keys[0], Hash::Sha256)]
    {
        let made = releases.signed(&local, name, key, hash).await?;
        let full = format!("refs/tags/{name}");
        local.push(&[&full]).await?.expect_taken(&format!("the tag {name}, which an allowed signer has signed"))?;
        // never fails alone: receive-pack tells of a ref as taken once it has moved it
        expect_equal(&format!("{name} after the push"), &host.refs("demo").await?.get(&full), &Some(&made))?;
    }
    local.own().args(["tag", "-a", "-m", "noted", "release-1", "main"]).ours().await?;
    let others = ["main:refs/tags/1.0", "release-1:refs/tags/release-1", "main:refs/heads/v3", "main:refs/tags/x/v1"];
    for refspec in others {
        local.push(&[refspec]).await?.expect_taken(&format!("{refspec}, which is no release"))?;
    }
    Ok(())
}

/// A lightweight tag is a name and nothing else: it holds no signature, and nobody who made it (git-tag(1)).
#[check(title = "a release that nobody has signed", task = 4, points = 2, needs = ["tag_signed"],
        hints = ["What does a lightweight tag lead to?", "Where there is no tag object there is nothing that could be signed."])]
async fn tag_unsigned(lab: &Lab) -> CheckResult {
    let releases = Releases::new(lab).await?;
    let host = &releases.host;
    let local = host.mirror("demo").await?;
    let before = host.refs("demo").await?;
    local.tag("v1.1", &tag(lab, "v1.1", &releases.tip)).await?;
    let empty = "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n";
    local.tag("v1.2", &(tag(lab, "v1.2", &releases.tip) + empty)).await?;
    let pgp = "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n";
    local.tag("v1.3", &(tag(lab, "v1.3", &releases.tip) + pgp)).await?;
    let light = "main:refs/tags/v1.0";
    for (refspec, what) in [
        (light, "a lightweight tag v1.0"),
        ("refs/tags/v1.1", "an annotated tag v1.1 without a signature"),
        ("refs/tags/v1.2", "a tag v1.2 whose signature is empty"),
        ("refs/tags/v1.3", "a tag v1.3 with another kind of signature"),
        ("main:refs/tags/version", "a lightweight tag whose name begins with v"),
    ] {
        local.push(&[refspec]).await?.expect_refused(what)?;
        // never fails alone: git sets no ref of a push that its hook refuses
        host.expect_refs("demo", &before, "a push that was refused").await?;
    }
    Ok(())
}

/// A signature that is right says only that somebody has signed something: who, what and for which purpose is for the host to
/// compare (OpenSSH's PROTOCOL.sshsig: the namespace keeps signatures for one purpose from being used for another).
#[check(title = "a signature that is not one of this release", task = 4, points = 3, needs = ["tag_signed"],
        hints = ["Who is allowed, and where do you compare that?",
                 "Take a signature from another tag: what in it no longer fits?",
                 "A tag object has a name of its own inside. Is it the name of the ref?"])]
async fn tag_wrong_signature(lab: &Lab) -> CheckResult {
    let releases = Releases::new(lab).await?;
    let (host, key) = (&releases.host, &releases.keys[0]);
    let local = host.mirror("demo").await?;
    let signed = releases.signed(&local, "v1.0", key, Hash::Sha512).await?;
    // never fails alone: `tag_signed` asks the same
    local.push(&["refs/tags/v1.0"]).await?.expect_taken("a tag v1.0, which an allowed signer has signed")?;
    let before = host.refs("demo").await?;
    releases.signed(&local, "v2.0", &Key::new(lab), Hash::Sha512).await?;
    let content = tag(lab, "v2.1", &releases.tip);
    let other = key.sign(tag(lab, "v2.1", &releases.tip).as_bytes(), GIT, Hash::Sha512);
    local.tag("v2.1", &(content + &other)).await?;
    let content = tag(lab, "v2.2", &releases.tip);
    let elsewhere = key.sign(content.as_bytes(), "file", Hash::Sha512);
    local.tag("v2.2", &(content + &elsewhere)).await?;
    let content = tag(lab, "v2.3", &releases.tip);
    let signature = key.sign(content.as_bytes(), GIT, Hash::Sha512);
    let changed = content.replace("Release", "release") + &signature;
    local.tag("v2.3", &changed).await?;
    let renamed = format!("{signed}:refs/tags/v2.4");
    let tree = local.own().args(["rev-parse", "main^{tree}"]).our_text().await?;
    let content = tag(lab, "v2.5", &tree).replace("type commit", "type tree");
    let signature = key.sign(content.as_bytes(), GIT, Hash::Sha512);
    local.tag("v2.5", &(content + &signature)).await?;
    for (refspec, what) in [
        ("refs/tags/v2.0", "a tag that a stranger has signed"),
        ("refs/tags/v2.1", "a tag with the signature of another one"),
        ("refs/tags/v2.2", "a tag with a signature for another purpose than git's"),
        ("refs/tags/v2.3", "a tag that was changed after it was signed"),
        (&renamed, "the tag v1.0 under the name v2.4"),
        ("refs/tags/v2.5", "a tag that leads to no commit"),
    ] {
        local.push(&[refspec]).await?.expect_refused(what)?;
        // never fails alone: git sets no ref of a push that its hook refuses
        host.expect_refs("demo", &before, "a push that was refused").await?;
    }
    Ok(())
}

/// Who has fetched a release is never told that it has become another (git-tag(1), "On Re-tagging").
#[check(title = "a release stays", task = 4, points = 2, needs = ["tag_signed"],
        hints = ["What is the old hash of a tag that is new, and of one that moves?"])]
async fn tag_stays(lab: &Lab) -> CheckResult {
    let releases = Releases::new(lab).await?;
    let (host, key) = (&releases.host, &releases.keys[0]);
    let local = host.mirror("demo").await?;
    releases.signed(&local, "v1.0", key, Hash::Sha512).await?;
    // never fails alone: `tag_signed` asks the same
    local.push(&["refs/tags/v1.0"]).await?.expect_taken("a tag v1.0, which an allowed signer has signed")?;
    let before = host.refs("demo").await?;
    let mut history = History::new(lab);
    let next = history.from(&releases.tip, "next").file("next.txt", lines(lab, 1));
    history.add(next);
    local.write(&history).await?;
    releases.signed(&local, "v1.0", key, Hash::Sha512).await?;
    local.push(&["+refs/tags/v1.0"]).await?.expect_refused("another tag v1.0, signed as well")?;
    // never fails alone: git sets no ref of a push that its hook refuses
    host.expect_refs("demo", &before, "a push that was refused").await?;
    local.push(&[":refs/tags/v1.0"]).await?.expect_refused("the deletion of v1.0")?;
    // never fails alone: git sets no ref of a push that its hook refuses
    host.expect_refs("demo", &before, "a push that was refused").await
}
