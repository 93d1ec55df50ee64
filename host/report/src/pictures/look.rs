//! What all pictures share: colours, sizes and marks. Colours are Okabe and Ito's set for colour-blind readers
//! (<https://jfly.uni-koeln.de/color/>); every series also has a mark of its own, so colour is never the only sign.

use std::collections::BTreeMap;

pub(crate) use super::canvas::Colour;
use super::canvas::{Anchor, Canvas, Lettering};
use super::letters::Face;
use crate::series::Series;

pub(super) const INK: Colour = Colour(28, 30, 33);
pub(super) const MUTED: Colour = Colour(96, 103, 112);
pub(super) const GRID: Colour = Colour(228, 231, 235);
pub(super) const AXIS: Colour = Colour(150, 156, 164);
/// For the word SIMULATED; 5.6 to 1 on white.
pub(super) const ALERT: Colour = Colour(176, 58, 0);
pub(super) const WHITE: Colour = Colour(255, 255, 255);

const BLUE: Colour = Colour(0, 114, 178);
const VERMILLION: Colour = Colour(213, 94, 0);
const GREEN: Colour = Colour(0, 158, 115);
const PURPLE: Colour = Colour(204, 121, 167);
const ORANGE: Colour = Colour(230, 159, 0);
const SKY: Colour = Colour(86, 180, 233);
const IN_ORDER: [Colour; 7] = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK];
/// A hue and its lighter partner, for two engines with up to two variants each.
const PAIRS: [[Colour; 2]; 2] = [[BLUE, SKY], [VERMILLION, ORANGE]];

/// A shape for measured points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Circle,
    Square,
    Up,
    Diamond,
    Down,
}
const MARKS: [Mark; 5] = [Mark::Circle, Mark::Square, Mark::Up, Mark::Diamond, Mark::Down];

/// Colour and mark of one series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) colour: Colour,
    pub(crate) mark: Mark,
}

/// One look a series; all differ up to 35 series. `wished` gives colours by engine or by `engine/variant`; further variants
/// of an engine with a colour are lighter.
pub(crate) fn looks(series: &[Series<'_>], wished: &[(String, [u8; 3])]) -> Vec<Look> {
    let mut variants: BTreeMap<&str, usize> = BTreeMap::new();
    let mut engines: Vec<&str> = Vec::new();
    let place: Vec<(usize, usize)> = series
        .iter()
        .map(|s| {
            let engine = s.rows().first().map_or("", |r| r.engine.as_str());
            let row = engines.iter().position(|e| *e == engine).unwrap_or_else(|| {
                engines.push(engine);
                engines.len() - 1
            });
            let seen = variants.entry(engine).or_default();
            *seen += 1;
            (row, *seen - 1)
        })
        .collect();
    // With one engine alone two lightnesses of one hue would say nothing and be harder to tell apart.
    let paired =
        engines.len() > 1 && place.iter().all(|(engine, variant)| *engine < PAIRS.len() && *variant < 2);
    let colour = |i: usize| match place[i] {
        (engine, variant) if paired => PAIRS[engine][variant],
        _ => IN_ORDER[i % IN_ORDER.len()],
    };
    let wish = |i: usize| {
        let row = series[i].rows().first()?;
        let of = |name: &str| wished.iter().rev().find(|(n, _)| n == name).map(|(_, rgb)| *rgb);
        let plain = |[r, g, b]: [u8; 3]| Colour(r, g, b);
        of(&format!("{}/{}", row.engine, row.variant))
            .map(plain)
            .or_else(|| of(&row.engine).map(|rgb| mixed(plain(rgb), WHITE, 0.35 * place[i].1.min(2) as f64)))
    };
    let look = |i: usize| Look { colour: wish(i).unwrap_or_else(|| colour(i)), mark: MARKS[i % MARKS.len()] };
    (0..series.len()).map(look).collect()
}

/// `share` of `other` in `colour`.
fn mixed(colour: Colour, other: Colour, share: f64) -> Colour {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between two bytes, so a byte"
    )]
    let part = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    Colour(part(colour.0, other.0), part(colour.1, other.1), part(colour.2, other.2))
}

/// `colour`, lightened until it stands out 4.5 to 1 from the dark page (WCAG 2.2, relative luminance).
pub(crate) fn on_dark(colour: Colour) -> Colour {
    const PAGE: f64 = 0.0092;
    let linear = |c: u8| {
        let share = f64::from(c) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |c: Colour| 0.2126 * linear(c.0) + 0.7152 * linear(c.1) + 0.0722 * linear(c.2);
    let steps = (0..=20_u8).map(|step| mixed(colour, WHITE, f64::from(step) / 20.0));
    steps.into_iter().find(|c| (luminance(*c) + 0.05) / (PAGE + 0.05) >= 4.5).unwrap_or(WHITE)
}

/// The look at `place` of a list without pairs; repeats after seven.
pub(crate) const fn in_order(place: usize) -> Look {
    Look { colour: IN_ORDER[place % IN_ORDER.len()], mark: MARKS[place % MARKS.len()] }
}

/// Draws `look`'s mark with a white ring, so that marks on a line of their own colour stand out.
pub(super) fn mark(canvas: &mut Canvas<'_>, at: [f64; 2], look: Look) {
    layers(canvas, at, look, &[(1.5, WHITE), (0.0, look.colour)]);
}

/// The same, hollow: a point that cannot be relied on.
pub(super) fn hollow(canvas: &mut Canvas<'_>, at: [f64; 2], look: Look) {
    layers(canvas, at, look, &[(1.5, WHITE), (0.3, look.colour), (-1.7, WHITE)]);
}

/// The mark in several sizes over one another: by how much each is grown, and its colour.
fn layers(canvas: &mut Canvas<'_>, [x, y]: [f64; 2], look: Look, layers: &[(f64, Colour)]) {
    for &(grown, colour) in layers {
        match look.mark {
            Mark::Circle => canvas.circle([x, y], 4.5 + grown, colour),
            Mark::Square => {
                let r = 4.0 + grown;
                canvas.rect([x - r, y - r], [x + r, y + r], colour, 1.0);
            }
            Mark::Diamond => {
                let r = 5.6 + 1.4 * grown;
                canvas.polygon(&[[x, y - r], [x + r, y], [x, y + r], [x - r, y]], colour, 1.0);
            }
            Mark::Up | Mark::Down => {
                let (r, down) = (5.6 + 1.8 * grown, if look.mark == Mark::Down { -1.0 } else { 1.0 });
                let corner = |angle: f64| [x + r * angle.cos(), y + down * (r * angle.sin() + r * 0.12)];
                let corners = [-90.0_f64, 30.0, 150.0].map(|a| corner(a.to_radians()));
                canvas.polygon(&corners, colour, 1.0);
            }
        }
    }
}

/// A regular text.
pub(super) const fn plain(size: f64, colour: Colour, anchor: Anchor) -> Lettering {
    Lettering { size, face: Face::Regular, colour, anchor, opacity: 1.0 }
}

/// A semi-bold text.
pub(super) const fn bold(size: f64, colour: Colour, anchor: Anchor) -> Lettering {
    Lettering { size, face: Face::Bold, colour, anchor, opacity: 1.0 }
}

// Figures are about 1,020 px wide and shown 800 px wide in a README: what is set in 11.5 px is read in 9.
pub(super) const TITLE: f64 = 19.5;
pub(super) const SUBTITLE: f64 = 12.5;
pub(super) const PANEL_TITLE: f64 = 13.5;
pub(super) const CAPTION: f64 = 11.5;
pub(super) const TICK: f64 = 11.5;
pub(super) const LEGEND: f64 = 12.5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::row;
    use crate::series::series_of;

    fn of(configurations: &[(&str, &str)]) -> Vec<Look> {
        let rows: Vec<_> = configurations.iter().map(|(e, v)| row(e, v, 1)).collect();
        looks(&series_of(&rows.iter().collect::<Vec<_>>()), &[])
    }

    #[test]
    fn two_variants_of_two_engines_share_a_hue() {
        let looks = of(&[("vllm", "fp16"), ("vllm", "fp8"), ("sglang", "fp16"), ("sglang", "awq")]);
        let colours: Vec<Colour> = looks.iter().map(|l| l.colour).collect();
        assert_eq!(colours, [BLUE, SKY, VERMILLION, ORANGE]);
    }

    #[test]
    fn no_two_of_seven_look_alike() {
        let looks = of(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1"), ("f", "1"), ("g", "1")]);
        for (i, a) in looks.iter().enumerate() {
            assert!(looks[..i].iter().all(|b| a.colour != b.colour));
        }
    }

    #[test]
    fn wished_colours_win_and_later_variants_are_lighter() {
        let rows = [row("a", "1", 1), row("a", "2", 1), row("a", "3", 1), row("b", "1", 1)];
        let series = series_of(&rows.iter().collect::<Vec<_>>()).into_iter().collect::<Vec<_>>();
        let wished = [("a".to_owned(), [100, 0, 0]), ("a/3".to_owned(), [0, 0, 9])];
        let colours: Vec<Colour> = looks(&series, &wished).iter().map(|l| l.colour).collect();
        assert_eq!(colours[0], Colour(100, 0, 0));
        assert_eq!(colours[1], Colour(154, 89, 89));
        assert_eq!(colours[2], Colour(0, 0, 9));
        assert_eq!(colours[3], looks(&series, &[])[3].colour);
    }

    #[test]
    fn every_colour_can_be_seen_on_the_dark_page() {
        assert_eq!(on_dark(SKY), SKY);
        assert_ne!(on_dark(BLUE), BLUE);
        assert_ne!(on_dark(INK), INK);
    }
}
