//! [`Retained`]: jobs that others know by a bare key, with no handle of their own.
//!
//! A job that is in the queue or runs is kept, as there is a bound on those. One that has ended is kept until it's taken
//! away, for a time at most, and as long as there are not too many of them; the oldest go first.

use super::{
    core::{Alarm, Core},
    handle::Job,
};
use crate::{
    executor::nanoseconds,
    model::{Mutex, lock},
    value::Value,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Weak},
    time::Duration,
};

pub(super) struct Retained<K> {
    core: Weak<Core>,
    table: Mutex<Table<K>>,
    time_to_live: u64,
    most: usize,
}

struct Table<K> {
    jobs: BTreeMap<K, Arc<Job<Value>>>,
    /// Those that have ended, with when they go; some may be gone already.
    ended: VecDeque<(u64, K, u64)>,
    /// How many of those are there.
    kept: usize,
    has_alarm: bool,
}

impl<K: Ord + Clone + Send + Sync + 'static> Retained<K> {
    pub(super) fn new(core: &Arc<Core>, time_to_live: Duration, most: usize) -> Arc<Self> {
        let table = Table { jobs: BTreeMap::new(), ended: VecDeque::new(), kept: 0, has_alarm: false };
        let time_to_live = nanoseconds(time_to_live);
        Arc::new(Self { core: Arc::downgrade(core), table: Mutex::new(table), time_to_live, most })
    }

    /// Keeps a job by its key; `false`, and the job is dropped, when there is one already.
    pub(super) fn keep(self: &Arc<Self>, key: K, job: Arc<Job<Value>>) -> bool {
        let number = job.id().number();
        {
            let mut table = lock(&self.table);
            if table.jobs.contains_key(&key) {
                return false;
            }
            table.jobs.insert(key.clone(), job.clone());
        }
        let table = Arc::downgrade(self);
        job.on_ended(move || {
            if let Some(table) = table.upgrade() {
                table.has_ended(key, number);
            }
        });
        true
    }

    pub(super) fn get(&self, key: &K) -> Option<Arc<Job<Value>>> {
        lock(&self.table).jobs.get(key).cloned()
    }

    /// Takes a job away that `may` go; nothing when there is none, and `Err` when it may not.
    pub(super) fn remove_if(
        &self,
        key: &K,
        may: impl FnOnce(&Job<Value>) -> bool,
    ) -> Result<Option<Arc<Job<Value>>>, ()> {
        let mut table = lock(&self.table);
        match table.jobs.get(key) {
            None => Ok(None),
            Some(job) if !may(job) => Err(()),
            Some(_) => {
                table.kept = table.kept.saturating_sub(1);
                Ok(table.jobs.remove(key))
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.table).jobs.len()
    }

    fn has_ended(self: &Arc<Self>, key: K, number: u64) {
        let Some(core) = self.core.upgrade() else { return };
        let expires = core.now().saturating_add(self.time_to_live);
        let (gone, alarm) = {
            let mut table = lock(&self.table);
            if !table.has(&key, number) {
                return;
            }
            table.ended.push_back((expires, key, number));
            table.kept += 1;
            let gone = table.take_old(core.now(), self.most);
            (gone, self.next_alarm(&mut table))
        };
        drop(gone);
        self.set_alarm(&core, alarm);
    }

    /// When the next one goes, if no alarm is set for that.
    fn next_alarm(&self, table: &mut Table<K>) -> Option<u64> {
        let (expires, ..) = table.ended.front()?;
        let is_new = !std::mem::replace(&mut table.has_alarm, true);
        is_new.then_some(*expires)
    }

    fn set_alarm(self: &Arc<Self>, core: &Arc<Core>, alarm: Option<u64>) {
        let Some(when) = alarm else { return };
        let table = Arc::downgrade(self);
        let sweep = move || {
            if let Some(table) = table.upgrade() {
                table.sweep();
            }
        };
        core.set_alarm(when, Alarm::Call(Box::new(sweep)));
    }

    fn sweep(self: &Arc<Self>) {
        let Some(core) = self.core.upgrade() else { return };
        let (gone, alarm) = {
            let mut table = lock(&self.table);
            table.has_alarm = false;
            let gone = table.take_old(core.now(), self.most);
            (gone, self.next_alarm(&mut table))
        };
        drop(gone);
        self.set_alarm(&core, alarm);
    }
}

impl<K: Ord> Table<K> {
    /// Whether the job of this key is still that one.
    fn has(&self, key: &K, number: u64) -> bool {
        self.jobs.get(key).is_some_and(|job| job.id().number() == number)
    }

    /// Takes out those whose time has come, and those that are too many.
    fn take_old(&mut self, now: u64, most: usize) -> Vec<Arc<Job<Value>>> {
        let mut gone = Vec::new();
        while let Some((expires, key, number)) = self.ended.front() {
            let is_there = self.has(key, *number);
            if is_there && *expires > now && self.kept <= most {
                break;
            }
            if is_there {
                self.kept = self.kept.saturating_sub(1);
                gone.extend(self.jobs.remove(key));
            }
            self.ended.pop_front();
        }
        // Those in the middle that are gone already take no room for ever.
        if self.ended.len() > 2 * self.jobs.len() + 64 {
            let Self { jobs, ended, .. } = self;
            ended.retain(|(_, key, number)| jobs.get(key).is_some_and(|job| job.id().number() == *number));
        }
        gone
    }
}
