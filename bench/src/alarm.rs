//! Wakes an event loop at an instant, to the microsecond: a loop's own timeout is rounded to milliseconds, which an open
//! loop would then measure. Linux alone has it in this form.

use std::time::Duration;

use anyhow::Result;
use mio::{Registry, Token};

/// Its token: above every client's place.
const TOKEN: Token = Token(usize::MAX);

/// See the module.
pub(crate) struct Alarm(#[cfg(target_os = "linux")] std::os::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Alarm {
    /// An alarm that is not set.
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        use mio::{Interest, unix::SourceFd};
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        use std::os::fd::AsRawFd as _;
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), TOKEN, Interest::READABLE)?;
        Ok(Self(timer))
    }

    /// Wakes the loop after so long, and not at the time set before.
    pub(crate) fn set(&self, after: Duration) -> Result<()> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        // Zero would take the alarm back.
        let after = after.max(Duration::from_nanos(1));
        let after =
            Timespec { tv_sec: i64::try_from(after.as_secs())?, tv_nsec: after.subsec_nanos().into() };
        let once = Itimerspec { it_interval: never, it_value: after };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
impl Alarm {
    /// Not here.
    pub(crate) fn new(_: &Registry) -> Result<Self> {
        anyhow::bail!("an open loop needs the timers of Linux, not {TOKEN:?} of another loop")
    }

    /// Not here.
    pub(crate) fn set(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}
