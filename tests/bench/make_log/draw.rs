//! Random numbers that depend on a seed and a counter alone.

/// `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number generators): each number is a mix of its index.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    /// The numbers of thing `index` of the kind `kind`.
    pub(crate) fn of(seed: u64, kind: u64, index: u64) -> Self {
        let mut draw = Self(seed);
        draw.0 = draw.next() ^ kind;
        draw.0 = draw.next().wrapping_add(index);
        draw.0 = draw.next();
        draw
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }

    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }
}

/// Draws of 0, 1, 2 … with chances that fall as Zipf says.
#[derive(Debug)]
pub(crate) struct Zipf {
    /// For equal steps of the share, the rank there: a draw is one look-up.
    ranks: Vec<u32>,
}

impl Zipf {
    pub(crate) fn new(count: usize, exponent: f64) -> Self {
        const STEPS: usize = 1 << 18;
        let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64).powf(-exponent)).collect();
        let total: f64 = weights.iter().sum();
        let mut ranks = Vec::with_capacity(STEPS);
        let (mut rank, mut reached) = (0, weights[0]);
        for step in 0..STEPS {
            let wanted = (step as f64 + 0.5) / STEPS as f64 * total;
            while reached < wanted && rank + 1 < count {
                rank += 1;
                reached += weights[rank];
            }
            ranks.push(rank as u32);
        }
        Self { ranks }
    }

    pub(crate) fn draw(&self, draw: &mut Draw) -> usize {
        draw.pick(&self.ranks) as usize
    }
}
