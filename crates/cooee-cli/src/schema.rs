//! Holds docs/json.md and the command to each other: the tables there are read, and everything is checked against them.

use std::collections::BTreeMap;

use serde_json::Value;

/// What docs/json.md says.
pub(crate) struct Schema {
    sections: BTreeMap<String, Section>,
}

#[derive(Default)]
struct Section {
    /// Sections whose fields these objects have too; the last may be missing as a whole in `added`.
    includes: Vec<String>,
    fields: Vec<Field>,
    examples: Vec<String>,
}

struct Field {
    name: String,
    always: bool,
    form: String,
}

impl Schema {
    /// Reads the document.
    pub(crate) fn read() -> Self {
        let document = include_str!("../../../docs/json.md");
        let mut sections: BTreeMap<String, Section> = BTreeMap::new();
        let mut name = String::new();
        let mut in_example = false;
        let mut in_includes = false;
        for line in document.lines() {
            if let Some(title) = line
                .strip_prefix("### ")
                .or_else(|| line.strip_prefix("## "))
            {
                name = title.to_owned();
                in_includes = false;
            }
            let section = sections.entry(name.clone()).or_default();
            if line.starts_with("```") {
                in_example = line == "```json";
            } else if in_example {
                section.examples.push(line.to_owned());
            } else if let Some(row) = line.strip_prefix("| `") {
                let mut columns = row.split(" | ");
                let field = columns.next().unwrap().trim_end_matches('`').to_owned();
                let always = columns.next().unwrap() == "always";
                section.fields.push(Field {
                    name: field,
                    always,
                    form: columns.next().unwrap().to_owned(),
                });
            } else {
                in_includes |= line.contains("Has the");
                if in_includes {
                    let links = line
                        .split("](#")
                        .skip(1)
                        .filter_map(|rest| rest.split(')').next());
                    section.includes.extend(links.map(str::to_owned));
                }
                if line.is_empty() {
                    in_includes = false;
                }
            }
        }
        Self { sections }
    }

    /// Every example in the document.
    pub(crate) fn examples(&self) -> Vec<&str> {
        self.sections
            .values()
            .flat_map(|section| section.examples.iter().map(String::as_str))
            .collect()
    }

    /// The events it describes.
    pub(crate) fn events(&self) -> Vec<&str> {
        let events = self
            .sections
            .iter()
            .filter(|(_, section)| section.includes.iter().any(|name| name == "common"));
        events.map(|(name, _)| name.as_str()).collect()
    }

    /// Checks one line of output, and gives its event.
    pub(crate) fn check(&self, line: &str) -> String {
        let value: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let event = value["event"]
            .as_str()
            .unwrap_or_else(|| panic!("no event: {line}"));
        assert!(
            self.events().contains(&event),
            "{event} is not in docs/json.md"
        );
        let section = &self.sections[event];
        let mut fields: Vec<&Field> = section.fields.iter().collect();
        for include in &section.includes {
            let is_named_only =
                event == "added" && include == "service" && value.get("host").is_none();
            if is_named_only {
                // Of the fields of a service, links alone are known.
                fields.extend(self.sections["removed"].fields.iter());
            } else {
                fields.extend(self.sections[include].fields.iter());
            }
        }
        self.check_object(&value, &fields, line);
        event.to_owned()
    }

    fn check_object(&self, value: &Value, fields: &[&Field], line: &str) {
        let object = value
            .as_object()
            .unwrap_or_else(|| panic!("{value} is no object: {line}"));
        for key in object.keys() {
            assert!(
                fields.iter().any(|field| field.name == *key),
                "{key} is not in docs/json.md: {line}"
            );
        }
        for field in fields {
            match object.get(&field.name) {
                Some(value) => self.check_form(value, field, line),
                None => assert!(!field.always, "{} is missing: {line}", field.name),
            }
        }
    }

    fn check_form(&self, value: &Value, field: &Field, line: &str) {
        if let Some(each) = field.form.strip_prefix("list of ") {
            let list = value
                .as_array()
                .unwrap_or_else(|| panic!("{} is no list: {line}", field.name));
            for value in list {
                let one = Field {
                    name: field.name.clone(),
                    always: true,
                    form: each.to_owned(),
                };
                self.check_form(value, &one, line);
            }
        } else if let Some(name) = field.form.strip_prefix('[') {
            let name = name.split(']').next().unwrap();
            let fields: Vec<&Field> = self.sections[name].fields.iter().collect();
            self.check_object(value, &fields, line);
        } else {
            let is_so = match field.form.as_str() {
                "text" => value.is_string(),
                "object" => value.is_object(),
                "number" => value.is_u64(),
                "decimal" => value.is_number(),
                "true or false" => value.is_boolean(),
                "text or null" => value.is_string() || value.is_null(),
                "number or null" => value.is_u64() || value.is_null(),
                other => panic!("docs/json.md has the form {other:?}"),
            };
            assert!(is_so, "{} is not {}: {line}", field.name, field.form);
        }
    }
}

#[test]
fn every_example_of_the_document_is_as_its_tables_say() {
    let schema = Schema::read();
    let examples = schema.examples();
    let mut shown: Vec<String> = examples.iter().map(|line| schema.check(line)).collect();
    shown.sort();
    shown.dedup();
    assert_eq!(shown, schema.events(), "each event has an example");
}
