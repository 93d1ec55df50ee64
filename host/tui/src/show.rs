//! The loop of the drawing thread: look, draw, listen for keys until the next drawing.

use std::io;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::screen::Canvas;
use crate::snapshot::Snapshot;
use crate::view::View;

/// Between two drawings.
pub const TICK: Duration = Duration::from_millis(250);

/// What is shown, and who hears the user's wish.
pub trait Source {
    /// What is to be drawn now; `None`: it is over.
    fn look(&mut self) -> Option<Snapshot>;
    /// The user wants an end: politely the first time, more urgently each time after.
    fn stop(&mut self);
}

/// The screen, entered. Dropping it gives the terminal back.
pub struct Screen {
    canvas: Canvas,
    view: View,
}

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Stop,
    Help,
    Back,
    NextChart,
}

impl Screen {
    /// Enters the alternate screen of the terminal behind standard error. An error: there is no terminal whose keys could
    /// be read; nothing was changed.
    pub fn enter(colour: bool) -> io::Result<Self> {
        Ok(Self { canvas: Canvas::enter()?, view: View::new(colour) })
    }

    /// Draws until `source` is over, or the screen was left elsewhere. At most one drawing each [`TICK`]; keys are heard at
    /// once. An error of the terminal ends it, too.
    pub fn show(mut self, mut source: impl Source) -> io::Result<()> {
        loop {
            let begun = Instant::now();
            let Some(snapshot) = source.look() else { return Ok(()) };
            self.view.see(&snapshot);
            let Self { canvas, view } = &mut self;
            if !canvas.draw(|frame| view.draw(frame, &snapshot))? {
                return Ok(());
            }
            self.listen(begun, &mut source);
        }
    }

    /// Until a tick after `begun`.
    fn listen(&mut self, begun: Instant, source: &mut impl Source) {
        loop {
            let left = TICK.saturating_sub(begun.elapsed());
            match event::poll(left).and_then(|some| if some { event::read().map(Some) } else { Ok(None) }) {
                Ok(Some(Event::Key(key))) => self.hear(wish(key), source),
                Ok(_) => {}
                // No keys, then; the drawing goes on.
                Err(_) => std::thread::sleep(left),
            }
            if begun.elapsed() >= TICK {
                return;
            }
        }
    }

    fn hear(&mut self, wish: Option<Wish>, source: &mut impl Source) {
        match wish {
            Some(Wish::Stop) => source.stop(),
            Some(Wish::Help) => self.view.toggle_help(),
            Some(Wish::Back) => self.view.close_help(),
            Some(Wish::NextChart) => self.view.next_chart(),
            None => {}
        }
    }
}

fn wish(key: KeyEvent) -> Option<Wish> {
    if key.kind != KeyEventKind::Press {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if control => Some(Wish::Stop),
        _ if control || key.modifiers.contains(KeyModifiers::ALT) => None,
        KeyCode::Char('q' | 'Q') => Some(Wish::Stop),
        KeyCode::Char('?' | 'h') => Some(Wish::Help),
        KeyCode::Esc => Some(Wish::Back),
        KeyCode::Char('p') => Some(Wish::NextChart),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_few_and_control_c_is_one_of_them() {
        let key = |code, modifiers| wish(KeyEvent::new(code, modifiers));
        let none = KeyModifiers::NONE;
        assert_eq!(key(KeyCode::Char('q'), none), Some(Wish::Stop));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Wish::Stop));
        assert_eq!(key(KeyCode::Char('c'), none), None);
        assert_eq!(key(KeyCode::Char('q'), KeyModifiers::CONTROL), None);
        assert_eq!(key(KeyCode::Char('?'), KeyModifiers::SHIFT), Some(Wish::Help));
        assert_eq!(key(KeyCode::Esc, none), Some(Wish::Back));
        assert_eq!(key(KeyCode::Enter, none), None);
        let released = KeyEvent::new_with_kind(KeyCode::Char('q'), none, KeyEventKind::Release);
        assert_eq!(wish(released), None, "a key is heard once");
    }
}
