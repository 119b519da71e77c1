//! Whether the fields of a record are shown to read back: their bytes, decoded, are they again.
//!
//! `accel/shown.py` says the same in Python, and what each part of a field means. All of it is
//! done under Python's lock: these are Python's objects.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PySet, PyString, PyTuple, PyType};

/// What a field may hold, its default and None aside.
enum Sort {
    Whole(i64, i64),
    Exactly(Py<PyType>),
    Bytes(usize, usize),
    Text(Py<PySet>, Py<PyAny>),
    Tuple(Box<Field>, usize, usize),
    Struct(Py<PyType>, Vec<Field>, Py<PyAny>),
    Other(Py<PyAny>),
}

/// What a field may hold.
struct Field {
    sort: Sort,
    default: Py<PyAny>,
    or_none: bool,
}

/// A field as Python hands it over: sort, first, second, default, whether it may be None.
type Given<'py> = (
    String,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    bool,
);

impl Field {
    /// Read what Python says of a field.
    fn read(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (sort, first, second, default, or_none): Given<'_> = given.extract()?;
        let sort = match sort.as_str() {
            "whole" => Sort::Whole(first.extract()?, second.extract()?),
            "exactly" => Sort::Exactly(first.cast_into()?.unbind()),
            "bytes" => Sort::Bytes(first.extract()?, second.extract()?),
            "text" => Sort::Text(first.cast_into()?.unbind(), second.unbind()),
            "tuple" => {
                let (least, most) = second.extract()?;
                Sort::Tuple(Box::new(Self::read(&first)?), least, most)
            }
            "struct" => {
                let astuple = given.py().import("msgspec.structs")?.getattr("astuple")?;
                let parts = read_all(second.cast()?)?;
                Sort::Struct(first.cast_into()?.unbind(), parts, astuple.unbind())
            }
            "other" => Sort::Other(first.unbind()),
            _ => return Err(PyValueError::new_err(format!("no sort of a field: {sort}"))),
        };
        Ok(Self {
            sort,
            default: default.unbind(),
            or_none,
        })
    }

    /// Whether a value is shown to read back; if not, it may do so all the same.
    fn shows(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        if value.is(&self.default) || (self.or_none && value.is_none()) {
            return Ok(true);
        }
        let py = value.py();
        match &self.sort {
            Sort::Whole(least, most) => Ok(value.is_exact_instance_of::<PyInt>()
                && whole(value).is_some_and(|number| *least <= number && number <= *most)),
            Sort::Exactly(of) => Ok(is_exactly(value, of)),
            Sort::Bytes(least, most) => {
                let found = value.cast_exact::<PyBytes>();
                Ok(found.is_ok_and(|bytes| within(bytes.as_bytes().len(), *least, *most)))
            }
            Sort::Text(texts, learn) => {
                if !value.is_exact_instance_of::<PyString>() {
                    return Ok(false);
                }
                Ok(texts.bind(py).contains(value)? || learn.call1(py, (value,))?.is_truthy(py)?)
            }
            Sort::Tuple(item, least, most) => match value.cast_exact::<PyTuple>() {
                Ok(items) if within(items.len(), *least, *most) => {
                    all(items.iter_borrowed(), |each| item.shows(&each))
                }
                _ => Ok(false),
            },
            Sort::Struct(made, parts, astuple) => {
                if !is_exactly(value, made) {
                    return Ok(false);
                }
                let values = astuple.call1(py, (value,))?;
                let values = values.bind(py).cast::<PyTuple>()?;
                all(parts.iter().zip(values.iter_borrowed()), |(part, each)| {
                    part.shows(&each)
                })
            }
            Sort::Other(check) => check.call1(py, (value,))?.is_truthy(py),
        }
    }
}

/// A whole number, where it has 64 bits at most.
fn whole(value: &Bound<'_, PyAny>) -> Option<i64> {
    value.extract().ok()
}

/// Whether a value is of this very type.
fn is_exactly(value: &Bound<'_, PyAny>, of: &Py<PyType>) -> bool {
    value.get_type_ptr().cast() == of.as_ptr()
}

/// Whether a length is allowed.
fn within(length: usize, least: usize, most: usize) -> bool {
    least <= length && length <= most
}

/// Whether each of these is so; the first that is not, or that fails, ends it.
fn all<T>(
    each: impl Iterator<Item = T>,
    mut is_so: impl FnMut(T) -> PyResult<bool>,
) -> PyResult<bool> {
    for one in each {
        if !is_so(one)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Several fields.
fn read_all(given: &Bound<'_, PyTuple>) -> PyResult<Vec<Field>> {
    given.iter().map(|each| Field::read(&each)).collect()
}

/// What looks at the values of some fields.
#[pyclass(frozen)]
struct ShownFields {
    fields: Vec<Field>,
}

#[pymethods]
impl ShownFields {
    /// Look at values by what is said of each field.
    #[new]
    fn new(fields: &Bound<'_, PyTuple>) -> PyResult<Self> {
        Ok(Self {
            fields: read_all(fields)?,
        })
    }

    /// Whether each value is shown or is the very same as the other in its place.
    fn all_shown(
        &self,
        values: &Bound<'_, PyTuple>,
        others: &Bound<'_, PyTuple>,
    ) -> PyResult<bool> {
        let pairs = values.iter_borrowed().zip(others.iter_borrowed());
        all(self.fields.iter().zip(pairs), |(field, (value, other))| {
            Ok(value.is(other) || field.shows(&value)?)
        })
    }
}

/// Put the class into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ShownFields>()
}
