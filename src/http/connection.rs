//! A connection: how long its other end may keep us waiting.
//!
//! The server below us bounds the head of the first request, and the silence between two. It does not bound the head of a
//! later request, a body that nobody reads any more, or how slowly an answer is taken; so somebody who sends or takes a byte
//! now and then would keep a connection for ever. Here each connection notes when it began to wait, and a task of each
//! worker looks at all of them now and then: a timer for every request would cost more than it brings.

use std::cell::{Cell, RefCell};
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::interval;
use tokio_rustls::server::TlsStream;

use super::crowd::Place;
use crate::config::Patience;

/// How many times the task looks while the shortest patience lasts.
const LOOKS: u32 = 10;

/// What a worker knows of its connections.
#[derive(Debug)]
pub(super) struct Watch {
    /// How often the task has looked: the time, as connections note it.
    now: Cell<u32>,
    /// How many looks a request may take to come, and an answer to be taken.
    head: u32,
    write: u32,
    watched: RefCell<Vec<Weak<Progress>>>,
}

impl Watch {
    /// Begins to watch. Must be called in the worker.
    pub(super) fn start(patience: Patience) -> Rc<Self> {
        let tick = patience.head.min(patience.write) / LOOKS;
        let looks = |time: Duration| u32::try_from(time.as_nanos() / tick.as_nanos()).unwrap_or(u32::MAX);
        let (head, write) = (looks(patience.head), looks(patience.write));
        let watch = Rc::new(Self { now: Cell::new(0), head, write, watched: RefCell::default() });
        let watching = Rc::downgrade(&watch);
        actix_web::rt::spawn(async move {
            let mut ticks = interval(tick);
            loop {
                ticks.tick().await;
                let Some(watch) = watching.upgrade() else { return };
                watch.look();
            }
        });
        watch
    }

    /// Ends the connections that have kept us waiting for too long, and forgets those that are gone.
    fn look(&self) {
        self.now.set(self.now.get().wrapping_add(1));
        self.watched.borrow_mut().retain(|progress| {
            let Some(progress) = progress.upgrade() else { return false };
            if self.is_late(&progress) {
                progress.is_late.set(true);
                if let Some(waker) = progress.waker.borrow_mut().take() {
                    waker.wake();
                }
            }
            true
        });
    }

    fn is_late(&self, progress: &Progress) -> bool {
        let now = self.now.get();
        let over = |since: Option<u32>, most| since.is_some_and(|since| now.wrapping_sub(since) > most);
        // Whoever sends the next request while it takes an answer is not late as long as it takes it.
        let taking = |since: u32| now.wrapping_sub(progress.wrote.get()) < now.wrapping_sub(since);
        let reading = progress.reading.get().filter(|since| !taking(*since));
        over(reading, self.head) || over(progress.writing.get(), self.write)
    }
}

/// How far the exchanges on a connection have come.
#[derive(Debug)]
pub(super) struct Progress {
    watch: Rc<Watch>,
    /// Whether a request is being answered: until then, what comes is its head; what comes afterwards, its rest.
    answering: Cell<bool>,
    /// Since when a request is on its way to us.
    reading: Cell<Option<u32>>,
    /// Since when the other end has taken nothing.
    writing: Cell<Option<u32>>,
    /// When it took something last.
    wrote: Cell<u32>,
    is_late: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Progress {
    /// A request is here, and is answered from now on. Its body has its own time.
    pub(super) fn begin(&self) {
        self.answering.set(true);
        self.reading.set(None);
    }

    /// The answer is on its way.
    pub(super) fn end(&self) {
        self.answering.set(false);
    }

    /// An error, if the connection has kept us waiting for too long.
    fn in_time(&self) -> std::io::Result<()> {
        if self.is_late.get() { Err(Error::from(ErrorKind::TimedOut)) } else { Ok(()) }
    }

    fn has_read(&self) {
        if !self.answering.get() && self.reading.get().is_none() {
            self.reading.set(Some(self.watch.now.get()));
        }
    }

    fn has_written(&self) {
        self.writing.set(None);
        self.wrote.set(self.watch.now.get());
    }

    fn waits_to_write(&self) {
        if self.writing.get().is_none() {
            self.writing.set(Some(self.watch.now.get()));
        }
    }

    /// Who is to be woken when it has become too late.
    fn wait(&self, context: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        if waker.as_ref().is_none_or(|known| !known.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
    }
}

/// What a connection is made of.
#[derive(Debug)]
pub(super) enum Stream {
    /// Without TLS.
    Plain(TcpStream),
    /// By TLS, after the handshake.
    Secure(Box<TlsStream<TcpStream>>),
}

/// Does the same with either kind of stream.
macro_rules! with {
    ($connection:ident, $stream:ident => $do:expr) => {
        match &mut $connection.stream {
            Stream::Plain($stream) => $do,
            Stream::Secure($stream) => $do,
        }
    };
}

/// A connection that is watched.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    progress: Rc<Progress>,
    _place: Option<Place>,
}

impl Connection {
    pub(super) fn new(stream: Stream, watch: &Rc<Watch>, place: Option<Place>) -> Self {
        let progress = Rc::new(Progress {
            watch: Rc::clone(watch),
            answering: Cell::new(false),
            reading: Cell::new(None),
            writing: Cell::new(None),
            wrote: Cell::new(watch.now.get()),
            is_late: Cell::new(false),
            waker: RefCell::default(),
        });
        watch.watched.borrow_mut().push(Rc::downgrade(&progress));
        Self { stream, progress, _place: place }
    }

    /// For whoever answers.
    pub(super) fn progress(&self) -> Rc<Progress> {
        Rc::clone(&self.progress)
    }

    /// Notes how a write went.
    fn written<T>(
        &self,
        outcome: Poll<std::io::Result<T>>,
        context: &Context<'_>,
    ) -> Poll<std::io::Result<T>> {
        match outcome {
            Poll::Ready(_) => self.progress.has_written(),
            Poll::Pending => {
                self.progress.waits_to_write();
                self.progress.wait(context);
            }
        }
        outcome
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.progress.in_time()?;
        let before = buffer.filled().len();
        let outcome = with!(self, stream => Pin::new(stream).poll_read(context, buffer));
        match outcome {
            Poll::Ready(_) if buffer.filled().len() > before => self.progress.has_read(),
            Poll::Ready(_) => {}
            Poll::Pending => self.progress.wait(context),
        }
        outcome
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.progress.in_time()?;
        let outcome = with!(self, stream => Pin::new(stream).poll_write(context, bytes));
        self.written(outcome, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.progress.in_time()?;
        let outcome = with!(self, stream => Pin::new(stream).poll_flush(context));
        match outcome {
            Poll::Ready(_) => outcome,
            Poll::Pending => self.written(outcome, context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.progress.in_time()?;
        let outcome = with!(self, stream => Pin::new(stream).poll_shutdown(context));
        match outcome {
            Poll::Ready(_) => outcome,
            Poll::Pending => self.written(outcome, context),
        }
    }
}
