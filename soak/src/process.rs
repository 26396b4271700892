//! A worker, as its driver sees it.

use std::process::Stdio;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::BoxError;
use crate::wire::hear;

/// A child process of this program. It is killed with its handle.
pub(crate) struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    listener: JoinHandle<Result<(), std::io::Error>>,
}

/// Hears every line that a worker tells.
pub(crate) type Listener<L> = Arc<dyn Fn(L) + Send + Sync>;

impl Worker {
    /// Starts this program again with `arguments`, and waits for its first line.
    pub(crate) async fn start<L: DeserializeOwned + Send + 'static>(
        arguments: &[String],
        listener: Listener<L>,
    ) -> Result<Self, BoxError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // The Ctrl-C of a terminal is the driver's alone: a worker ends with its input.
        command.process_group(0);
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a worker has no input or output".into());
        };
        let (ready, is_ready) = oneshot::channel();
        let listener = tokio::spawn(async move {
            let mut ready = Some(ready);
            let mut lines = BufReader::new(output).lines();
            while let Some(line) = lines.next_line().await? {
                if let Some(line) = hear(&line) {
                    listener(line);
                }
                if let Some(ready) = ready.take() {
                    ready.send(()).ok(); // Whoever started it may have given up by now.
                }
            }
            Ok(())
        });
        if is_ready.await.is_err() {
            return Err(format!("a worker ended at once: {}", child.wait().await?).into());
        }
        Ok(Self { child, input: Some(input), listener })
    }

    /// Writes a line to its input.
    pub(crate) async fn tell(&mut self, line: &str) -> Result<(), BoxError> {
        if let Some(input) = &mut self.input {
            input.write_all(format!("{line}\n").as_bytes()).await?;
        }
        Ok(())
    }

    /// Ends it by SIGKILL, and hears what it had told.
    pub(crate) async fn kill(mut self) -> Result<(), BoxError> {
        self.child.kill().await?;
        Ok(self.listener.await??)
    }

    /// Lets it end by itself, and hears all it has to tell.
    pub(crate) async fn end(mut self) -> Result<(), BoxError> {
        drop(self.input.take());
        self.listener.await??;
        match self.child.wait().await? {
            status if status.success() => Ok(()),
            status => Err(format!("a worker failed: {status}").into()),
        }
    }
}
