//! Data sets that need no file, from Lehmer's generator (Park and Miller 1988, doi:10.1145/63039.63042): the portable
//! sets that information estimators of other tools were run on (tests only).

/// s ← 16807 s mod 2147483647, u = s/2147483647.
pub(crate) struct MinStd(u64);

impl MinStd {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0 * 16_807 % 2_147_483_647;
        self.0 as f64 / 2_147_483_647.0
    }

    /// √(−2 ln u₁) cos(2π u₂).
    pub(crate) fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform(), self.uniform());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

/// 1000 pairs: x, and .6 x + .8 of 1000 more normals.
pub(crate) fn normals(seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut g = MinStd::new(seed);
    let x: Vec<f64> = (0..1000).map(|_| g.normal()).collect();
    let y = x.iter().map(|v| 0.6 * v + 0.8 * g.normal()).collect();
    (x, y)
}

/// X = .5 X + e, Y = .5 Y + .5 X₋ + w from zeros; the first `m` normals are e, the next w.
pub(crate) fn coupled_pair(seed: u64, m: usize) -> (Vec<f64>, Vec<f64>) {
    let mut g = MinStd::new(seed);
    let e: Vec<f64> = (0..m).map(|_| g.normal()).collect();
    let w: Vec<f64> = (0..m).map(|_| g.normal()).collect();
    let (mut x, mut y) = (vec![0.0; m], vec![0.0; m]);
    for t in 1..m {
        x[t] = 0.5 * x[t - 1] + e[t];
        y[t] = 0.5 * y[t - 1] + 0.5 * x[t - 1] + w[t];
    }
    (x, y)
}

/// `n` fair bits, and their copy one step later, each flipped with probability `flip` (`n` more draws).
pub(crate) fn copy_process(seed: u64, n: usize, flip: f64) -> (Vec<u32>, Vec<u32>) {
    let mut g = MinStd::new(seed);
    let x: Vec<u32> = (0..n).map(|_| u32::from(g.uniform() < 0.5)).collect();
    let flips: Vec<u32> = (0..n).map(|_| u32::from(g.uniform() < flip)).collect();
    let y = (0..n).map(|t| if t == 0 { 0 } else { x[t - 1] ^ flips[t] }).collect();
    (x, y)
}
