//! [`Lanes`]: jobs that others run than the pool itself, by the names of their functions.

use super::Fence;
use crate::{
    error::Failure,
    jobs::{
        alarms::AlarmKey,
        context::JobContext,
        core::{Alarm, Core},
        entry::Entry,
        phase::{At, Stage},
        queue::Line,
        work::{Started, Work},
    },
    model::{Mutex, lock},
    patterns::Watchers,
    promise::Future as Settles,
    value::Value,
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// A call that somebody else makes.
pub(in crate::jobs) struct Remote {
    pub(in crate::jobs) name: Arc<str>,
    pub(in crate::jobs) arguments: Value,
    pub(in crate::jobs) heartbeat_timeout: Option<Duration>,
}

impl Work for Remote {
    type Output = Value;

    fn start(&self, _context: JobContext) -> Started<Value> {
        Started::Ended(Err(Failure::from_error("this job is another worker's")))
    }

    fn clear(&self) {
        // The arguments go with the job's last handle.
    }

    fn remote(&self) -> Option<&Remote> {
        Some(self)
    }

    fn output(value: Value) -> Option<Value> {
        Some(value)
    }
}

#[derive(Default)]
pub(in crate::jobs) struct Lanes {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lanes: HashMap<Arc<str>, Lane>,
    /// Those that a worker has, with the alarm of its heartbeat.
    claimed: HashMap<u64, (Arc<dyn Entry>, AlarmKey)>,
    is_closed: bool,
    /// Those who wait for something to claim.
    idle: Watchers,
}

struct Lane {
    line: Line<Arc<dyn Entry>>,
    /// Somebody has asked for its jobs.
    is_served: bool,
}

/// What a worker gets that asks for a job.
pub(super) enum Next {
    Job(Arc<dyn Entry>, u32),
    Wait(Settles<()>),
    Over,
}

/// A fence of this process: the job's number, and that of its attempt.
pub(super) fn fence(number: u64, attempt: u32) -> Fence {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.extend(attempt.to_le_bytes());
    Fence::new(&bytes)
}

pub(super) fn read(fence: &Fence) -> Option<(u64, u32)> {
    let (number, attempt) = fence.as_bytes().split_at_checked(8)?;
    Some((u64::from_le_bytes(number.try_into().ok()?), u32::from_le_bytes(attempt.try_into().ok()?)))
}

impl Lanes {
    /// Whether somebody has asked for jobs of this name.
    pub(in crate::jobs) fn is_served(&self, name: &str) -> bool {
        lock(&self.state).lanes.get(name).is_some_and(|lane| lane.is_served)
    }

    /// Adds a job that is queued.
    pub(in crate::jobs) fn push(&self, entry: Arc<dyn Entry>, since: u64, ageing: Option<u64>) {
        let Some(remote) = entry.remote() else { return };
        let (name, priority) = (remote.name.clone(), entry.header().priority);
        let idle = {
            let mut state = lock(&self.state);
            let lane = || Lane { line: Line::new(ageing), is_served: false };
            state.lanes.entry(name).or_insert_with(lane).line.push(priority, since, entry);
            state.idle.take()
        };
        idle.tell();
    }

    /// The one that is worth most of those with these names.
    pub(super) fn next(&self, names: &[Arc<str>], ageing: Option<u64>) -> Next {
        let mut dead = Vec::new();
        let mut state = lock(&self.state);
        if state.is_closed {
            return Next::Over;
        }
        for name in names {
            let lane = || Lane { line: Line::new(ageing), is_served: true };
            state.lanes.entry(name.clone()).or_insert_with(lane).is_served = true;
        }
        loop {
            let worth = |name: &Arc<str>| Some((state.lanes.get(name)?.line.worth_of_best()?, name.clone()));
            let Some((_, best)) = names.iter().filter_map(worth).min() else { break };
            let Some(entry) = state.lanes.get_mut(&best).and_then(|lane| lane.line.pop()) else { break };
            let header = entry.header();
            let at = header.phase.at();
            if at.stage == Stage::Queued && header.phase.change(at, At::running(at.attempt)) {
                state.claimed.insert(header.id.number(), (entry.clone(), 0));
                drop(state);
                drop(dead);
                return Next::Job(entry, at.attempt);
            }
            dead.push(entry);
        }
        Next::Wait(state.idle.watch())
    }

    /// The job that a worker has by this fence, and its attempt, whether that still counts or not.
    pub(super) fn claimed(&self, fence: &Fence) -> Option<(Arc<dyn Entry>, u32)> {
        let (number, attempt) = read(fence)?;
        let state = lock(&self.state);
        state.claimed.get(&number).map(|(entry, _)| (entry.clone(), attempt))
    }

    /// Notes another alarm for a worker's heartbeat; gives the one before.
    fn swap_alarm(&self, number: u64, alarm: AlarmKey) -> AlarmKey {
        match lock(&self.state).claimed.get_mut(&number) {
            Some((_, key)) => std::mem::replace(key, alarm),
            None => alarm,
        }
    }

    /// A job has ended, or waits for its next attempt: no worker has it.
    pub(in crate::jobs) fn release(&self, number: u64) -> AlarmKey {
        let gone = lock(&self.state).claimed.remove(&number);
        gone.map_or(0, |(_, alarm)| alarm)
    }

    /// Takes out all that wait, and shows those that workers have. There will be no more.
    pub(in crate::jobs) fn close(&self) -> Vec<Arc<dyn Entry>> {
        let (all, idle) = {
            let mut state = lock(&self.state);
            state.is_closed = true;
            let mut all: Vec<_> = state.lanes.values_mut().flat_map(|lane| lane.line.take()).collect();
            all.extend(state.claimed.values().map(|(entry, _)| entry.clone()));
            (all, state.idle.take())
        };
        idle.tell();
        all
    }

    /// Those that wait, and those that workers have.
    pub(in crate::jobs) fn each(&self, mut show: impl FnMut(&Arc<dyn Entry>)) {
        let state = lock(&self.state);
        state.claimed.values().for_each(|(entry, _)| show(entry));
        state.lanes.values().for_each(|lane| lane.line.each(&mut show));
    }
}

impl Core {
    /// A worker was heard of: its attempt is lost if it's not heard of again in time.
    pub(in crate::jobs) fn heard_of(self: &Arc<Self>, entry: &Arc<dyn Entry>, attempt: u32) {
        let Some(limit) = entry.remote().and_then(|remote| remote.heartbeat_timeout) else { return };
        let (core, lost) = (Arc::downgrade(self), entry.clone());
        let fail = move || {
            if let Some(core) = core.upgrade() {
                let silent = format!("its worker was not heard of for {limit:?}");
                core.has_failed(&lost, attempt, Failure::from_error(silent));
            }
        };
        let when = self.now().saturating_add(crate::executor::nanoseconds(limit));
        let key = self.set_alarm(when, Alarm::Call(Box::new(fail)));
        drop(self.alarms.take_back(self.lanes.swap_alarm(entry.header().id.number(), key)));
    }
}
