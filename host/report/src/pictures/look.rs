//! What all pictures share: colours, sizes and marks. Colours are Okabe and Ito's set for colour-blind readers
//! (<https://jfly.uni-koeln.de/color/>); every series also has a mark of its own, so colour is never the only sign.

use std::collections::BTreeMap;

use super::canvas::{Anchor, Canvas, Colour, Lettering};
use super::letters::Face;
use crate::series::Series;

pub(super) const INK: Colour = Colour(28, 30, 33);
pub(super) const MUTED: Colour = Colour(96, 103, 112);
pub(super) const GRID: Colour = Colour(228, 231, 235);
pub(super) const AXIS: Colour = Colour(150, 156, 164);
/// For the word SIMULATED; 5.6 to 1 on white.
pub(super) const ALERT: Colour = Colour(176, 58, 0);
const WHITE: Colour = Colour(255, 255, 255);

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
pub(super) enum Mark {
    Circle,
    Square,
    Up,
    Diamond,
    Down,
}
const MARKS: [Mark; 5] = [Mark::Circle, Mark::Square, Mark::Up, Mark::Diamond, Mark::Down];

/// Colour and mark of one series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) colour: Colour,
    pub(super) mark: Mark,
}

/// One look a series; all differ up to 35 series.
pub(super) fn looks(series: &[Series<'_>]) -> Vec<Look> {
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
    let paired = place.iter().all(|(engine, variant)| *engine < PAIRS.len() && *variant < 2);
    let colour = |i: usize| match place[i] {
        (engine, variant) if paired => PAIRS[engine][variant],
        _ => IN_ORDER[i % IN_ORDER.len()],
    };
    (0..series.len()).map(|i| Look { colour: colour(i), mark: MARKS[i % MARKS.len()] }).collect()
}

/// The look at `place` of a list without pairs; repeats after seven.
pub(super) const fn in_order(place: usize) -> Look {
    Look { colour: IN_ORDER[place % IN_ORDER.len()], mark: MARKS[place % MARKS.len()] }
}

/// Draws `look`'s mark with a white ring, so that marks on a line of their own colour stand out.
pub(super) fn mark(canvas: &mut Canvas<'_>, [x, y]: [f64; 2], look: Look) {
    for (grown, colour) in [(1.5, WHITE), (0.0, look.colour)] {
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

pub(super) const TITLE: f64 = 19.5;
pub(super) const SUBTITLE: f64 = 12.2;
pub(super) const PANEL_TITLE: f64 = 13.0;
pub(super) const CAPTION: f64 = 11.0;
pub(super) const TICK: f64 = 10.5;
pub(super) const LEGEND: f64 = 12.2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::row;
    use crate::series::series_of;

    fn of(configurations: &[(&str, &str)]) -> Vec<Look> {
        let rows: Vec<_> = configurations.iter().map(|(e, v)| row(e, v, 1)).collect();
        looks(&series_of(&rows.iter().collect::<Vec<_>>()))
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
}
