//! Which load points are measured, in which order: every pass over the ladder shuffled by the seed, the middle point
//! again at the beginning and the end (drift shows there), and, interleaved, the engines in turn at each point.
//! Knows numbers of engines and workloads, not what they are.

use benchhost_model::LoadPoint;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::plan::{Plan, PointOrder};

/// With fewer points there is no middle that would stand for the others.
const LEAST_FOR_AN_ANCHOR: usize = 4;

/// What a load point is measured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The plan asks for it.
    Plan,
    /// Once more, against drift.
    Anchor,
    /// A rate that a search tries.
    Probe,
    /// A rate that a search found, measured afresh.
    Confirm,
}

impl Role {
    /// As the `role` column spells it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Plan => "",
            Self::Anchor => "anchor",
            Self::Probe => "probe",
            Self::Confirm => "confirm",
        }
    }
}

/// One load point to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Planned {
    /// Index of the engine in the plan.
    pub(crate) engine: usize,
    /// Index of the workload in the plan.
    pub(crate) workload: usize,
    /// The load.
    pub(crate) load: LoadPoint,
    /// From 1; an anchor's are above the plan's, so that each measurement has a number of its own.
    pub(crate) repeat: u32,
    /// Why.
    pub(crate) role: Role,
}

/// A load point of one workload.
type Place = (usize, LoadPoint);

/// Everything that the plan asks for, in the order in which it is measured.
pub(crate) fn agenda(plan: &Plan) -> Vec<Planned> {
    let ladders = plan.workloads.iter().map(|w| plan.ladder_of(w).to_vec()).collect::<Vec<_>>();
    Agenda {
        engines: plan.engines.len(),
        places: ladders
            .iter()
            .enumerate()
            .flat_map(|(workload, points)| points.iter().map(move |load| (workload, *load)))
            .collect(),
        repeats: plan.repeats.value,
        shuffled: plan.order.value == PointOrder::Random,
        anchored: plan.anchor.value,
        interleaved: plan.interleave.value,
        seed: plan.seed.value,
    }
    .list()
}

struct Agenda {
    engines: usize,
    places: Vec<Place>,
    repeats: u32,
    shuffled: bool,
    anchored: bool,
    interleaved: bool,
    seed: u64,
}

impl Agenda {
    fn list(&self) -> Vec<Planned> {
        if self.interleaved {
            return (1..=self.repeats).flat_map(|repeat| self.blocks(repeat)).collect();
        }
        (0..self.engines).flat_map(|engine| self.of_one(engine)).collect()
    }

    /// One engine's measurements; the order is the same for every engine.
    fn of_one(&self, engine: usize) -> Vec<Planned> {
        let planned =
            |(workload, load): Place, repeat, role| Planned { engine, workload, load, repeat, role };
        let anchor = self.anchor();
        let mut list = Vec::new();
        list.extend(anchor.map(|at| planned(at, self.repeats + 1, Role::Anchor)));
        for repeat in 1..=self.repeats {
            let mut pass = self.pass(repeat);
            // The anchor is measured by the plan, too; in a single shuffled pass that is put into the middle.
            if let (Some(anchor), 1, true) = (anchor, self.repeats, self.shuffled) {
                pass.retain(|place| *place != anchor);
                pass.insert(pass.len() / 2, anchor);
            }
            list.extend(pass.into_iter().map(|place| planned(place, repeat, Role::Plan)));
        }
        list.extend(anchor.map(|at| planned(at, self.repeats + 2, Role::Anchor)));
        list
    }

    /// Blocks of one repeat: at each point all engines, in an order of its own.
    fn blocks(&self, repeat: u32) -> Vec<Planned> {
        let mut random = self.random("engines", repeat);
        let mut list = Vec::new();
        for (workload, load) in self.pass(repeat) {
            let mut engines: Vec<usize> = (0..self.engines).collect();
            engines.shuffle(&mut random);
            let planned = |engine| Planned { engine, workload, load, repeat, role: Role::Plan };
            list.extend(engines.into_iter().map(planned));
        }
        list
    }

    fn pass(&self, repeat: u32) -> Vec<Place> {
        let mut places = self.places.clone();
        if self.shuffled {
            places.shuffle(&mut self.random("points", repeat));
        }
        places
    }

    fn anchor(&self) -> Option<Place> {
        let enough = self.anchored && self.places.len() >= LEAST_FOR_AN_ANCHOR;
        self.places.get(self.places.len() / 2).copied().filter(|_| enough)
    }

    /// A stream of its own for each use and repeat, so that none shifts another.
    fn random(&self, purpose: &str, repeat: u32) -> ChaCha8Rng {
        let mut name = [0_u8; 8];
        name.iter_mut().zip(purpose.bytes()).for_each(|(to, from)| *to = from);
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(u64::from_le_bytes(name) ^ (u64::from(repeat) << 40));
        random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agenda(points: u32, repeats: u32, interleaved: bool) -> Agenda {
        Agenda {
            engines: 2,
            places: (1..=points).map(|n| (0, LoadPoint::Concurrency(n))).collect(),
            repeats,
            shuffled: true,
            anchored: true,
            interleaved,
            seed: 42,
        }
    }

    fn places(list: &[Planned], engine: usize, role: Role) -> Vec<(f64, u32)> {
        let of = list.iter().filter(|p| p.engine == engine && p.role == role);
        of.map(|p| (p.load.value(), p.repeat)).collect()
    }

    #[test]
    fn every_point_comes_once_a_repeat_in_the_same_random_order_for_every_engine() {
        let list = agenda(6, 2, false).list();
        let first = places(&list, 0, Role::Plan);
        assert_eq!(first, places(&list, 1, Role::Plan));
        let mut sorted = first.clone();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let whole: Vec<(f64, u32)> = (1..=6).flat_map(|n| [(f64::from(n), 1), (f64::from(n), 2)]).collect();
        assert_eq!(sorted, whole);
        assert_ne!(first[..6].to_vec(), (1..=6).map(|n| (f64::from(n), 1)).collect::<Vec<_>>());
        assert_eq!(list, agenda(6, 2, false).list(), "the seed decides");
    }

    #[test]
    fn the_middle_point_stands_first_in_the_middle_and_last() {
        let list = agenda(5, 1, false).list();
        let of_one: Vec<&Planned> = list.iter().filter(|p| p.engine == 1).collect();
        assert_eq!(of_one.len(), 7);
        let at = |i: usize| (of_one[i].load.value(), of_one[i].repeat, of_one[i].role);
        assert_eq!(at(0), (3.0, 2, Role::Anchor));
        assert_eq!(at(3), (3.0, 1, Role::Plan));
        assert_eq!(at(6), (3.0, 3, Role::Anchor));
    }

    #[test]
    fn short_ladders_and_interleaved_ones_have_no_anchor() {
        assert_eq!(agenda(3, 1, false).list().len(), 6);
        let list = agenda(4, 3, true).list();
        assert_eq!(list.len(), 2 * 4 * 3);
        for block in list.chunks(2) {
            assert_eq!((block[0].load, block[0].repeat), (block[1].load, block[1].repeat));
            assert_ne!(block[0].engine, block[1].engine);
        }
        let firsts: Vec<usize> = list.chunks(2).map(|block| block[0].engine).collect();
        assert!(firsts.contains(&0) && firsts.contains(&1), "{firsts:?}");
    }

    #[test]
    fn the_given_order_is_kept() {
        let list = Agenda { shuffled: false, anchored: false, ..agenda(5, 1, false) }.list();
        assert_eq!(places(&list, 0, Role::Plan), (1..=5).map(|n| (f64::from(n), 1)).collect::<Vec<_>>());
    }
}
