//! [`Artifact`]: what a job made, for Python; [`ArtifactInfo`] is the same in Rust.

use crate::names;
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyString};
use serde::{Deserialize, Serialize};

/// What a job made. A Rust job that is called by its name may give one: in Python it's the `dict` that `Artifact(**info)` takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ArtifactInfo {
    /// Names it: for a file, the path as it was given.
    pub id: String,
    /// The BLAKE3 hash of its content, in hexadecimal.
    pub content_hash: String,
    /// Whatever its maker wants to say about it.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// What `tags` takes.
#[derive(Default)]
pub(crate) struct Tags(pub(crate) Vec<String>);

impl<'py> FromPyObject<'_, 'py> for Tags {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err(format!(
                "a list of texts is wanted, not one text: [{}]",
                names::short_repr(&object)?
            )));
        }
        object.extract().map(Self)
    }
}

/// What a job made: its id, the BLAKE3 hash of its content in hexadecimal, and its tags.
#[pyclass(frozen, eq, hash, module = "asyncferry")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Artifact {
    info: ArtifactInfo,
}

impl From<ArtifactInfo> for Artifact {
    fn from(info: ArtifactInfo) -> Self {
        Self { info }
    }
}

impl<'py> IntoPyObject<'py> for ArtifactInfo {
    type Target = Artifact;
    type Output = Bound<'py, Artifact>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, Artifact>> {
        Bound::new(py, Artifact::from(self))
    }
}

impl Artifact {
    /// What is known of it.
    pub fn info(&self) -> &ArtifactInfo {
        &self.info
    }
}

#[pymethods]
impl Artifact {
    #[new]
    #[pyo3(signature = (id, content_hash, tags = Tags::default()))]
    fn new(id: String, content_hash: String, tags: Tags) -> Self {
        ArtifactInfo { id, content_hash, tags: tags.0 }.into()
    }

    /// Names it: for a file, the path as it was given.
    #[getter]
    fn id(&self) -> &str {
        &self.info.id
    }

    /// The BLAKE3 hash of its content, in hexadecimal.
    #[getter]
    fn content_hash(&self) -> &str {
        &self.info.content_hash
    }

    /// Whatever its maker wants to say about it.
    #[getter]
    fn tags(&self) -> Vec<&str> {
        self.info.tags.iter().map(String::as_str).collect()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let field = |name| slf.getattr(name)?.repr();
        let (id, hash, tags) = (field("id")?, field("content_hash")?, field("tags")?);
        Ok(format!("Artifact(id={id}, content_hash={hash}, tags={tags})"))
    }
}
