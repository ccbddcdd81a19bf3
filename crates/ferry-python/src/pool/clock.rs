//! `BeatClock`: deadlines of latent jobs in musical beats.

use asyncferry::jobs;
use pyo3::{exceptions::PyValueError, prelude::*};

/// A clock in beats, at a tempo that may change: Pool(clock=BeatClock(120)). It shows 0 when it's made, and at 0 beats
/// a minute it stands still.
#[pyclass(frozen, module = "asyncferry")]
pub(crate) struct BeatClock {
    pub(super) clock: jobs::BeatClock,
}

#[pymethods]
impl BeatClock {
    #[new]
    #[pyo3(signature = (tempo, /))]
    fn new(tempo: f64) -> PyResult<Self> {
        Ok(Self { clock: jobs::BeatClock::new(checked(tempo)?) })
    }

    /// How many beats a minute has. Changing it changes when latent jobs start.
    #[getter]
    fn tempo(&self) -> f64 {
        self.clock.tempo()
    }

    #[setter]
    fn set_tempo(&self, tempo: f64) -> PyResult<()> {
        self.clock.set_tempo(checked(tempo)?);
        Ok(())
    }

    /// The beat that it shows now. Changing it is a jump to another place of the music.
    #[getter]
    fn beat(&self) -> f64 {
        self.clock.beat()
    }

    #[setter]
    fn set_beat(&self, beat: f64) -> PyResult<()> {
        if !beat.is_finite() {
            return Err(PyValueError::new_err(format!("a clock can't show the beat {beat}")));
        }
        self.clock.set_beat(beat);
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("<BeatClock tempo={} beat={:.3}>", self.clock.tempo(), self.clock.beat())
    }
}

fn checked(tempo: f64) -> PyResult<f64> {
    if tempo >= 0.0 && tempo.is_finite() {
        return Ok(tempo);
    }
    Err(PyValueError::new_err(format!("a tempo can't be {tempo} beats a minute")))
}
