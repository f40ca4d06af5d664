//! The union of an old and a new schema of one message.
//!
//! Versions that only the old release has are read as it says; from the first version of the new release on, the
//! new one holds. So a field that was renamed has the new name where both know it, and a field that went away
//! together with its versions stays for these.

use super::schema::{Field, Schema, Struct, Versions};
use crate::Result;

/// The union, or `None` if the new release has no stable version of it (any more).
pub fn merge(old: Option<&Schema>, new: &Schema) -> Result<Option<Schema>> {
    if new.valid.is_empty() {
        return Ok(None);
    }
    let context = |e: String| format!("{}: {e}", new.name);
    let old = old.filter(|old| !old.valid.is_empty());
    let mut merged = new.clone();
    if let Some(old) = old {
        merged.valid =
            old.valid.and(Versions { lo: 0, hi: new.valid.lo - 1 }).or(new.valid).map_err(context)?;
        if old.flexible.lo != new.flexible.lo {
            return Err(context("the first flexible version differs".into()));
        }
        let cut = Cut { at: new.valid.lo };
        merged.fields = cut.fields(&old.fields, &new.fields).map_err(context)?;
        merged.common = cut.structs(&old.common, &new.common).map_err(context)?;
    }
    Ok(Some(merged))
}

/// Below version `at` the old schema holds, from it on the new one.
struct Cut {
    at: i16,
}

impl Cut {
    fn below(&self, versions: Versions) -> Versions {
        versions.and(Versions { lo: 0, hi: self.at - 1 })
    }

    fn above(&self, versions: Versions) -> Versions {
        versions.and(Versions { lo: self.at, hi: i16::MAX })
    }

    fn fields(&self, old: &[Field], new: &[Field]) -> Result<Vec<Field>> {
        let mut all: Vec<Field> = Vec::new();
        for field in new {
            let before = old.iter().find(|o| o.name == field.name);
            let merged = self.field(before, field)?;
            if !merged.versions.is_empty() {
                all.push(merged);
            }
        }
        // What only the old schema has goes behind the field that it followed there.
        let mut place = 0;
        for field in old {
            if let Some(i) = all.iter().position(|f| f.name == field.name) {
                place = i + 1;
                continue;
            }
            let mut only = field.clone();
            only.versions = self.below(field.versions);
            if !only.versions.is_empty() {
                all.insert(place, only);
                place += 1;
            }
        }
        Ok(all)
    }

    fn field(&self, old: Option<&Field>, new: &Field) -> Result<Field> {
        let context = |e: String| format!("{}: {e}", new.name);
        let mut merged = new.clone();
        merged.versions = self.above(new.versions);
        let Some(old) = old else { return Ok(merged) };
        if old.ty != new.ty || old.default != new.default || old.tag != new.tag {
            return Err(context("type, default or tag differ between the releases".into()));
        }
        merged.versions = self.below(old.versions).or(merged.versions).map_err(context)?;
        merged.nullable = self.below(old.nullable).or(self.above(new.nullable)).map_err(context)?;
        merged.tagged = self.below(old.tagged).or(self.above(new.tagged)).map_err(context)?;
        merged.fields = self.fields(&old.fields, &new.fields).map_err(context)?;
        Ok(merged)
    }

    fn structs(&self, old: &[Struct], new: &[Struct]) -> Result<Vec<Struct>> {
        let mut all = Vec::new();
        for n in new {
            let fields = match old.iter().find(|o| o.name == n.name) {
                Some(o) => self.fields(&o.fields, &n.fields)?,
                None => n.fields.clone(),
            };
            all.push(Struct { name: n.name.clone(), fields });
        }
        all.extend(old.iter().filter(|o| !new.iter().any(|n| n.name == o.name)).cloned());
        Ok(all)
    }
}
