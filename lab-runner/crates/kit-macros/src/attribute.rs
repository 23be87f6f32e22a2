//! The arguments of `#[check(…)]`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitBool, LitInt, LitStr, Token, bracketed};

/// The arguments, each checked for its type and for its presence.
pub struct Attribute {
    pub title: LitStr,
    pub task: LitInt,
    pub points: LitInt,
    pub needs: Vec<LitStr>,
    pub hints: Vec<LitStr>,
    pub held_out: bool,
    pub alone: bool,
    pub limit: Option<LitInt>,
}

impl Parse for Attribute {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut title, mut task, mut points, mut limit) = (None, None, None, None);
        let (mut needs, mut hints) = (Vec::new(), Vec::new());
        let (mut held_out, mut alone) = (false, false);
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            let name = key.to_string();
            match name.as_str() {
                "held_out" => held_out = flag(input)?,
                "alone" => alone = flag(input)?,
                _ => {
                    input.parse::<Token![=]>()?;
                    match name.as_str() {
                        "title" => title = Some(input.parse()?),
                        "task" => task = Some(input.parse()?),
                        "points" => points = Some(input.parse()?),
                        "limit" => limit = Some(input.parse()?),
                        "needs" => needs = strings(input)?,
                        "hints" => hints = strings(input)?,
                        _ => return Err(syn::Error::new(key.span(), unknown(&name))),
                    }
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let missing = |what: &str| input.error(format!("a check must have its {what}"));
        if hints.is_empty() {
            return Err(missing("hints"));
        }
        Ok(Self {
            title: title.ok_or_else(|| missing("title"))?,
            task: task.ok_or_else(|| missing("task"))?,
            points: points.ok_or_else(|| missing("points"))?,
            needs,
            hints,
            held_out,
            alone,
            limit,
        })
    }
}

fn unknown(name: &str) -> String {
    format!("`{name}` is none of title, task, points, needs, hints, held_out, alone, limit")
}

/// `alone` and `alone = true` mean the same.
fn flag(input: ParseStream<'_>) -> syn::Result<bool> {
    if !input.peek(Token![=]) {
        return Ok(true);
    }
    input.parse::<Token![=]>()?;
    Ok(input.parse::<LitBool>()?.value)
}

fn strings(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}
