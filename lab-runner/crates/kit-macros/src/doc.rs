//! A check's doc comment: why the behaviour is asked for, and in its last parentheses the source.

use syn::{Expr, ExprLit, ItemFn, Lit, Meta};

/// Splits the doc comment of `function` into the reason and the source.
pub fn why_and_source(function: &ItemFn) -> syn::Result<(String, String)> {
    let doc = text(function);
    let wrong = || {
        syn::Error::new_spanned(
            &function.sig.ident,
            "a check's doc comment says why, and ends with its source in parentheses: `/// Why (RFC 9112 §2.2).`",
        )
    };
    let body = doc.trim_end().trim_end_matches('.').strip_suffix(')').ok_or_else(wrong)?;
    let open = opening(body).ok_or_else(wrong)?;
    let (why, source) = (body[..open].trim_end(), body[open + 1..].trim());
    if why.is_empty() || source.is_empty() {
        return Err(wrong());
    }
    let stop = if why.ends_with(['.', '?', '!', ':']) { "" } else { "." };
    Ok((format!("{why}{stop}"), source.to_owned()))
}

/// Where the parenthesis opens that the (removed) last character closed.
fn opening(body: &str) -> Option<usize> {
    let mut depth = 1;
    for (index, character) in body.char_indices().rev() {
        match character {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

fn text(function: &ItemFn) -> String {
    let mut lines = Vec::new();
    for attribute in &function.attrs {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        if !pair.path.is_ident("doc") {
            continue;
        }
        if let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value {
            lines.push(line.value().trim().to_owned());
        }
    }
    lines.join(" ").trim().to_owned()
}
