//! The committed JSON schemas are those of the types. `LAB_BLESS=1` writes them anew.

use schemars::JsonSchema;

use crate::sandbox::repository;

fn compare<T: JsonSchema>(name: &str) {
    let path = repository().join("lab-runner/schema").join(name);
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(T)).unwrap() + "\n";
    if std::env::var_os("LAB_BLESS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == schema, "{} is not the types' schema; LAB_BLESS=1 writes it anew", path.display());
}

#[test]
fn the_manifests_schema_is_that_of_its_types() {
    compare::<lab_runner::manifest::Manifest>("lab.schema.json");
}

#[test]
fn the_results_schema_is_that_of_its_types() {
    compare::<lab_runner::report::Report>("result.schema.json");
}

#[test]
fn every_field_of_the_result_is_described() {
    let page = std::fs::read_to_string(repository().join("lab-runner/schema/README.md")).unwrap();
    let schema = serde_json::to_value(schemars::schema_for!(lab_runner::report::Report)).unwrap();
    let types = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    let fields = types.filter_map(|one| one["properties"].as_object()).flat_map(|fields| fields.keys());
    let missing: Vec<_> = fields.filter(|field| !page.contains(&format!("`{field}`"))).collect();
    assert!(missing.is_empty(), "lab-runner/schema/README.md does not describe {missing:?}");
}
