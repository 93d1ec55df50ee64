//! One line a load point: a moving bar on a terminal, a plain line at the end elsewhere.

use std::io::Write;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

/// How far a load point is. Drawing happens at most four times a second.
#[derive(Debug)]
pub(crate) struct Progress {
    title: String,
    bar: Option<ProgressBar>,
    quiet: bool,
    begun: Instant,
    done: u64,
    failed: u64,
}

impl Progress {
    pub(super) fn new(title: &str, total: Option<u64>, live: bool, quiet: bool) -> Self {
        let bar = live.then(|| {
            let template = if total.is_some() {
                "{msg}  {bar:24} {pos}/{len}  {elapsed}"
            } else {
                "{msg}  {spinner} {pos}  {elapsed}"
            };
            let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            bar.set_draw_target(indicatif::ProgressDrawTarget::stderr_with_hz(4));
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(title.to_owned());
            bar
        });
        Self { title: title.to_owned(), bar, quiet, begun: Instant::now(), done: 0, failed: 0 }
    }

    /// One more request is recorded.
    pub(crate) fn step(&mut self, completed: bool) {
        self.done += 1;
        self.failed += u64::from(!completed);
        if let Some(bar) = &self.bar {
            bar.inc(1);
            if self.failed > 0 && !completed {
                bar.set_message(format!("{} · {} not completed", self.title, self.failed));
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if self.quiet || self.title.ends_with("warm-up") {
            return;
        }
        let failed = if self.failed > 0 { format!(", {} not completed", self.failed) } else { String::new() };
        let seconds = self.begun.elapsed().as_secs_f64();
        let _nobody = writeln!(
            std::io::stderr().lock(),
            "{}: {}{failed} in {seconds:.1} s",
            self.title,
            super::plural(self.done, "request")
        );
    }
}
