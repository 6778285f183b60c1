use std::f64::consts::{PI, TAU};
use std::sync::atomic::AtomicBool;

use super::convolution::Convolution;
use super::lattice::Lattice;
use crate::Network;
use crate::tests::{run, run_on, trace};
use spikedeck_equation::space::KernelShape;
use spikedeck_model::library;
use spikedeck_scenario::{Boundary, Catalog, NoFiles, Overrides, load};

/// `du/dt = D laplacian(u)` on a line of 16 cells at distance 1, from `initial`, until `stop`.
fn heat(scheme: &str, boundary: &str, initial: &str, (dt, stop): (f64, f64), more: &str) -> String {
    format!(
        "[simulation]\nduration = {stop}\ndt = {dt}\nseed = 3\n[models.heat]\ntime_unit = \"1\"\nequations = \"du/dt \
         = D*laplacian(u) : 1\"\nparameters = {{ D = 0.7 }}\n\
         [populations.p]\nmodel = \"heat\"\nintegrator = \"{scheme}\"\ngrid = {{ shape = [16], spacing = 1, boundary \
         = {boundary}{more} }}\ninitial = {{ u = \"{initial}\" }}\n\
         [record.p]\ntraces = [{{ variables = [\"u\"], interval = {stop} }}]\n"
    )
}

/// Mode of a boundary with its wave number per cell.
fn mode(boundary: &str) -> (&'static str, f64) {
    match boundary {
        "\"periodic\"" => ("cos(2*3.141592653589793*3*i/16)", TAU * 3.0 / 16.0),
        "\"no_flux\"" => ("cos(3.141592653589793*3*(i + 0.5)/16)", PI * 3.0 / 16.0),
        _ => ("sin(3.141592653589793*3*(i + 1)/17)", PI * 3.0 / 17.0),
    }
}

/// Factor by which a mode has shrunk, checked to be the same in all cells.
fn shrunk(text: &str) -> f64 {
    let result = run(text);
    let values = trace(&result, "p", "u");
    let (first, last) = values.split_at(values.len() / 2);
    assert_eq!(first.len(), last.len());
    let share = first.iter().zip(last).map(|(a, b)| a * b).sum::<f64>() / first.iter().map(|a| a * a).sum::<f64>();
    for (a, b) in first.iter().zip(last) {
        assert!((b - share * a).abs() < 1e-12, "{b} is not {share} times {a}");
    }
    share
}

const ENDS: [&str; 3] = ["\"periodic\"", "\"no_flux\"", "\"killed\""];

#[test]
fn a_mode_shrinks_by_the_factor_of_each_scheme() {
    let (dt, steps, d) = (0.25, 40, 0.7);
    for ends in ENDS {
        let (initial, theta) = mode(ends);
        let m = 2.0 * (1.0 - theta.cos()) * d;
        for (scheme, factor) in [
            ("ftcs", 1.0 - m * dt),
            ("backward_euler", 1.0 / (1.0 + m * dt)),
            ("crank_nicolson", (1.0 - 0.5 * m * dt) / (1.0 + 0.5 * m * dt)),
            ("spectral", (-d * theta * theta * dt).exp()),
        ] {
            let found = shrunk(&heat(scheme, ends, initial, (dt, dt * f64::from(steps)), ""));
            assert!(
                (found - factor.powi(steps)).abs() < 1e-12,
                "{scheme} {ends}: {found}, expected {}",
                factor.powi(steps)
            );
        }
    }
}

#[test]
fn schemes_have_their_orders_in_time() {
    // Against exp(-D mu t) of the equations on the grid, by halving the step.
    for ends in ENDS {
        let (initial, theta) = mode(ends);
        let exact = (-0.7 * 2.0 * (1.0 - theta.cos()) * 8.0).exp();
        for (scheme, order) in
            [("ftcs", 1.0), ("backward_euler", 1.0), ("crank_nicolson", 2.0), ("dufort_frankel", 2.0)]
        {
            let error = |dt: f64| (shrunk(&heat(scheme, ends, initial, (dt, 8.0), "")) - exact).abs();
            let found = (error(0.05) / error(0.025)).log2();
            assert!((found - order).abs() < 0.12, "{scheme} {ends}: order {found}");
        }
    }
}

#[test]
fn lax_friedrichs_grows_as_computed_and_runs_only_when_allowed() {
    // g = cos(theta) - 2 lambda (1 - cos(theta)), which is -(1 + 4 lambda) for the shortest wave.
    let allowed = ", allow_unstable = true";
    let shortest = "cos(3.141592653589793*i)";
    let found = shrunk(&heat("lax_friedrichs", "\"periodic\"", shortest, (1.0 / 7.0, 5.0 / 7.0), allowed));
    assert!((found + 1.4f64.powi(5)).abs() < 1e-9, "{found}");
    let (initial, theta) = mode("\"periodic\"");
    let found = shrunk(&heat("lax_friedrichs", "\"periodic\"", initial, (1.0 / 7.0, 5.0 / 7.0), allowed));
    assert!((found - (theta.cos() - 0.2 * (1.0 - theta.cos())).powi(5)).abs() < 1e-12, "{found}");
    // lambda = 0.1: diffusion six times too fast, 109 steps until rounding errors show.
    let refused = refusal(&heat("lax_friedrichs", "\"periodic\"", initial, (1.0 / 7.0, 5.0 / 7.0), ""));
    assert!(
        refused.contains("6.00 times")
            && refused.contains("about 109 steps")
            && refused.contains("allow_unstable = true"),
        "{refused}"
    );
}

/// The spread of a point after some steps is (1 + 2 lambda) cells squared a step instead of 2 lambda: diffusion too
/// fast by 1 + 1/(2 lambda), which is 51, 6, 3, 2 and 1.5 for these.
#[test]
fn lax_friedrichs_spreads_too_fast() {
    for (lambda, ratio) in [(0.01, 51.0), (0.1, 6.0), (0.25, 3.0), (0.5, 2.0), (1.0, 1.5)] {
        let (dt, steps) = (lambda / 0.7, 5.0);
        let text = heat(
            "lax_friedrichs",
            "\"periodic\"",
            "where(abs(i - 8) < 0.5, 1, 0)",
            (dt, dt * steps),
            ", allow_unstable = true",
        );
        let result = run(&text);
        let last = &trace(&result, "p", "u")[16..];
        let moment = |power: i32| last.iter().enumerate().map(|(j, u)| u * (j as f64 - 8.0).powi(power)).sum::<f64>();
        assert!((moment(0) - 1.0).abs() < 1e-12, "nothing is lost");
        let found = moment(2) / (2.0 * lambda * steps);
        assert!((found - ratio).abs() < 1e-9 * ratio, "lambda {lambda}: {found}, expected {ratio}");
    }
}

/// Between fixed ends with n cells there is a sliver lambda <= tan^2(pi/(2 (n + 1)))/2 for which nothing grows: 0.01034
/// for ten cells, where diffusion is 49 times too fast.
#[test]
fn lax_friedrichs_has_a_sliver_between_fixed_ends() {
    let text = |lambda: f64| {
        heat(
            "lax_friedrichs",
            "\"killed\"",
            "sin(3.141592653589793*10*(i + 1)/11)",
            (lambda / 0.7, 20.0 * lambda / 0.7),
            ", allow_unstable = true",
        )
        .replace("shape = [16]", "shape = [10]")
    };
    let theta = 10.0 * PI / 11.0;
    for (lambda, stable) in [(0.0103, true), (0.0104, false)] {
        let found = shrunk(&text(lambda));
        let growth = theta.cos() - 2.0 * lambda * (1.0 - theta.cos());
        assert!((found - growth.powi(20)).abs() < 1e-12 && (found < 1.0) == stable, "lambda {lambda}: {found}");
    }
}

/// How long rounding hides the growth: 36.7/ln(1 + 4 lambda) steps.
#[test]
fn lax_friedrichs_says_how_long_rounding_hides_its_growth() {
    for (lambda, steps) in [(0.01, 936), (0.1, 109), (0.5, 33), (1.0, 23)] {
        let dt = lambda / 0.7;
        let message = refusal(&heat("lax_friedrichs", "\"periodic\"", "1", (dt, 5.0 * dt), ""));
        assert!(message.contains(&format!("about {steps} steps")), "lambda {lambda}: {message}");
    }
}

fn refusal(text: &str) -> String {
    match load(text, None, "test", &Overrides::default(), library(), &Catalog::default(), &NoFiles) {
        Ok((spec, _)) => {
            Network::build(&spec, 1, &AtomicBool::new(false)).map_or_else(|e| e.to_string(), |_| String::new())
        }
        Err(report) => report.render(false),
    }
}

#[test]
fn a_step_beyond_the_bound_is_refused_with_the_one_that_is_stable() {
    let text = |dt: f64| heat("ftcs", "\"no_flux\"", "1", (dt, dt * 10.0), "");
    let message = refusal(&text(0.75));
    // h^2/(2 D) = 1/1.4 = 0.7142857
    assert!(message.contains("0.7142") && message.contains("crank_nicolson"), "{message}");
    run(&text(0.714));
    let message = refusal(&heat("spectral", "[\"killed\", \"no_flux\"]", "1", (0.1, 1.0), ""));
    assert!(message.contains("same ends"), "{message}");
}

#[test]
fn fixed_ends_hold_a_straight_line() {
    for scheme in ["ftcs", "backward_euler", "crank_nicolson", "dufort_frankel"] {
        let result = run(&heat(scheme, "\"fixed\"", "where(i < 1, 2, 0)", (0.25, 1000.0), ""));
        for (j, v) in trace(&result, "p", "u")[16..].iter().enumerate() {
            assert!((v - 2.0 * (1.0 - (j as f64 + 1.0) / 17.0)).abs() < 1e-6, "{scheme}: cell {j} is {v}");
        }
    }
}

#[test]
fn noisy_ends_scatter_about_the_fixed_ones() {
    let text = heat("backward_euler", "\"noisy\"", "1", (0.25, 4000.0), ", noise = 0.5")
        .replace("interval = 4000", "interval = 5");
    let result = run(&text);
    let values = trace(&result, "p", "u");
    let middle: Vec<f64> = values.chunks(16).skip(50).map(|row| row[0]).collect();
    let mean = middle.iter().sum::<f64>() / middle.len() as f64;
    let sd = (middle.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / middle.len() as f64).sqrt();
    // A cell follows the white ends through r = D dt = 0.175 and its own relaxation: well below their 0.5, far above
    // nothing.
    assert!((mean - 1.0).abs() < 0.03 && (0.03..0.2).contains(&sd), "{mean} {sd}");
}

#[test]
fn in_a_plane_modes_shrink_along_both_axes() {
    let text = |scheme: &str, dt: f64| {
        heat(
            scheme,
            "\"no_flux\"",
            "cos(3.141592653589793*2*(x + 0.5)/12)*cos(3.141592653589793*3*(y + 0.5)/10)",
            (dt, 5.0),
            "",
        )
        .replace("shape = [16]", "shape = [12, 10]")
    };
    let (a, b) = (PI * 2.0 / 12.0, PI * 3.0 / 10.0);
    let (ma, mb) = (1.4 * (1.0 - a.cos()), 1.4 * (1.0 - b.cos()));
    // (1 - theta dt Lx)(1 - theta dt Ly)(u' - u) = dt (Lx + Ly) u
    let turns = |theta: f64| 1.0 - (ma + mb) * 0.25 / ((1.0 + theta * ma * 0.25) * (1.0 + theta * mb * 0.25));
    for (scheme, factor) in [
        ("ftcs", 1.0 - (ma + mb) * 0.25),
        ("backward_euler", turns(1.0)),
        ("crank_nicolson", turns(0.5)),
        ("spectral", (-0.7 * (a * a + b * b) * 0.25).exp()),
    ] {
        let found = shrunk(&text(scheme, 0.25));
        assert!((found - factor.powi(20)).abs() < 1e-12, "{scheme}: {found}, expected {}", factor.powi(20));
    }
    // h^2/(4 D) in a plane.
    assert!(refusal(&text("ftcs", 0.5)).contains("0.3571"));
}

#[test]
fn leapfrog_has_its_dispersion() {
    // u_tt = c^2 u_xx - alpha u: 4 sin^2(w dt/2)/dt^2 = c^2 4 sin^2(k h/2)/h^2 + alpha, exactly.
    let (c, alpha, dt) = (1.3f64, 0.2f64, 0.4);
    let k = TAU * 3.0 / 16.0;
    let square = c * c * 4.0 * (k / 2.0).sin().powi(2) + alpha;
    let w = 2.0 / dt * (dt / 2.0 * square.sqrt()).asin();
    let text = format!(
        "[simulation]\nduration = 80\ndt = {dt}\n[models.wave]\ntime_unit = \"1\"\nequations = \"\"\"\ndv/dt = \
         {}*laplacian(u) - {alpha}*u : 1\ndu/dt = v : 1\n\"\"\"\n\
         [populations.p]\nmodel = \"wave\"\ngrid = {{ shape = [16], spacing = 1, boundary = \"periodic\" }}\ninitial \
         = {{ u = \"cos(2*3.141592653589793*3*i/16)\" }}\n\
         [record.p]\ntraces = [{{ variables = [\"u\"] }}]\n",
        c * c
    );
    let result = run(&text);
    // The first kick is a whole one from rest: u_n = cos(w (n + 1/2) dt)/cos(w dt/2).
    for (n, row) in trace(&result, "p", "u").chunks(16).enumerate() {
        let expected = (w * (n as f64 + 0.5) * dt).cos() / (w * dt / 2.0).cos();
        assert!((row[0] - expected).abs() < 1e-10, "step {n}: {} {expected}", row[0]);
    }
    // dt c/h <= 1 but for what alpha adds.
    assert!(refusal(&text.replace("dt = 0.4", "dt = 0.8")).contains("0.769"));
}

#[test]
fn direct_sums_and_transforms_agree() {
    for ends in [Boundary::Periodic, Boundary::NoFlux, Boundary::Killed] {
        for shape in [vec![40], vec![12, 9]] {
            let lattice = Lattice { shape, spacing: 0.5, ends: [ends; 2], noise: 0.0 };
            let values: Vec<f64> = (0..lattice.cells()).map(|i| ((i * i) as f64).sin()).collect();
            let ghosts = lattice.ghosts(&values, 1, "populations.p", "u");
            for (kernel, arguments) in [
                (KernelShape::Gaussian, vec![0.8]),
                (KernelShape::Exponential, vec![0.3]),
                (KernelShape::WizardHat, vec![0.4]),
                (KernelShape::MexicanHat, vec![2.0, 0.4, 1.5, 0.9]),
            ] {
                let apply = |direct: bool| {
                    let mut out = vec![0.0; values.len()];
                    Convolution::new(&lattice, kernel, &arguments, Some(direct))
                        .unwrap()
                        .apply(&lattice, &ghosts, &values, &mut out);
                    out
                };
                for (a, b) in apply(true).iter().zip(apply(false)) {
                    assert!((a - b).abs() < 1e-12, "{ends:?} {kernel:?}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn listed_weights_are_taken_as_they_are() {
    let text = |kernel: &str| {
        format!(
            "[simulation]\nduration = 1\ndt = 1\n[models.field]\ntime_unit = \"1\"\nequations = \"du/dt = -u + \
             convolve({kernel}, u) : 1\"\n\
             [populations.p]\nmodel = \"field\"\nintegrator = \"euler\"\ngrid = {{ shape = [7], spacing = 0.5, \
             boundary = \"periodic\" }}\ninitial = {{ u = \"where(abs(i - 1) < 0.5, 1, 0)\" }}\n\
             [record.p]\ntraces = [{{ variables = [\"u\"] }}]\n"
        )
    };
    let result = run(&text("listed(2, 0.5, -0.25)"));
    let last: Vec<f64> = trace(&result, "p", "u")[7..].to_vec();
    // Around cell 1, and around the ring.
    assert_eq!(last, [0.5, 2.0, 0.5, -0.25, 0.0, 0.0, -0.25]);
    let message = refusal(&text("listed(1, 1, 1, 1, 1)"));
    assert!(message.contains("9 weights is wider than the grid of 7 cells"), "{message}");
}

/// Amari's closed forms W(Q) + h = 0 (ground truths): W is what a stretch of width Q gives at its edge.
#[test]
fn kernels_balance_at_the_widths_of_amari() {
    let h = 0.002;
    let part = |shape: KernelShape, s: f64, width: f64| -> f64 {
        let cells = (width / h).round() as usize;
        let lattice = Lattice { shape: vec![4000], spacing: h, ends: [Boundary::Killed; 2], noise: 0.0 };
        let values: Vec<f64> = (0..4000).map(|j| if (1000..1000 + cells).contains(&j) { 1.0 } else { 0.0 }).collect();
        let ghosts = lattice.ghosts(&values, 1, "populations.p", "u");
        let mut out = vec![0.0; 4000];
        Convolution::new(&lattice, shape, &[s], None).unwrap().apply(&lattice, &ghosts, &values, &mut out);
        // The edge lies between two cells.
        0.5 * (out[999] + out[1000])
    };
    let edge = |a: f64, s_a: f64, b: f64, s_b: f64, width: f64| -> f64 {
        let part = |s: f64| 2.0 * s * part(KernelShape::Exponential, s, width);
        a * part(s_a) - b * part(s_b)
    };
    for (width, threshold) in [(0.406124, 0.3), (3.388116, 0.3), (0.239148, 0.2), (4.366022, 0.2)] {
        let found = edge(2.0, 1.0, 1.0, 2.0, width);
        assert!((found - threshold).abs() < 2e-3, "{width}: {found}");
    }
    // A wizard hat (1 - |x|) exp(-|x|) holds two bumps of width D with D exp(-D) = threshold; the narrow one is not
    // stable.
    for (width, threshold) in [(0.11183, 0.1), (3.57715, 0.1), (0.25917, 0.2), (2.54264, 0.2)] {
        let found = part(KernelShape::WizardHat, 1.0, width);
        assert!((found - threshold).abs() < 2e-3, "{width}: {found}");
        let slope =
            (part(KernelShape::WizardHat, 1.0, width + 0.05) - part(KernelShape::WizardHat, 1.0, width - 0.05)) / 0.1;
        assert!(
            (slope - (1.0 - width) * (-width).exp()).abs() < 5e-3 && (slope < 0.0) == (width > 1.0),
            "{width}: {slope}"
        );
    }
    for width in [0.124218, 1.391130] {
        let found = edge(3.5, 1.0 / 1.8, 3.0, 1.0 / 1.52, width);
        assert!((found - 0.05).abs() < 1e-3, "{width}: {found}");
    }
}

#[test]
fn kernels_have_their_transforms() {
    // A cosine on a ring is multiplied by exp(-k^2 s^2/2), and by 1/(1 + k^2 s^2) for the exponential.
    let lattice = Lattice { shape: vec![400], spacing: 0.05, ends: [Boundary::Periodic; 2], noise: 0.0 };
    let k = TAU * 3.0 / 20.0;
    let values: Vec<f64> = (0..400).map(|i| (k * 0.05 * f64::from(i)).cos()).collect();
    let at_zero = |shape, arguments: &[f64]| {
        let mut out = vec![0.0; 400];
        let ghosts = lattice.ghosts(&values, 1, "populations.p", "u");
        Convolution::new(&lattice, shape, arguments, None).unwrap().apply(&lattice, &ghosts, &values, &mut out);
        out[0]
    };
    assert!((at_zero(KernelShape::Gaussian, &[0.7]) - (-0.5 * k * k * 0.49).exp()).abs() < 1e-9);
    assert!((at_zero(KernelShape::Exponential, &[0.7]) - 1.0 / (1.0 + k * k * 0.49)).abs() < 1e-3);
    // (1 - |x|) exp(-|x|) has the transform 4 k^2/(1 + k^2)^2.
    assert!((at_zero(KernelShape::WizardHat, &[1.0]) - 4.0 * k * k / (1.0 + k * k).powi(2)).abs() < 2e-3);
    assert!(
        Convolution::new(&lattice, KernelShape::Gaussian, &[20.0], None).unwrap_err().contains("wider than the grid")
    );
    assert!(Convolution::new(&lattice, KernelShape::Gaussian, &[0.0], None).unwrap_err().contains("above zero"));
}

/// Position at which `values` falls through `level`.
fn front(values: &[f64], level: f64, spacing: f64) -> f64 {
    let j = values.windows(2).position(|w| w[0] >= level && w[1] < level).unwrap();
    (j as f64 + (values[j] - level) / (values[j] - values[j + 1])) * spacing
}

fn reaction(rate: &str, initial: &str, (n, h): (usize, f64), (dt, stop): (f64, f64), scheme: &str) -> String {
    format!(
        "[simulation]\nduration = {stop}\ndt = {dt}\n[models.front]\ntime_unit = \"1\"\nequations = \"du/dt = \
         D*laplacian(u) + {rate} : 1\"\nparameters = {{ D = 1, a = 0.25, r = 1 }}\n\
         [populations.p]\nmodel = \"front\"\n{scheme}grid = {{ shape = [{n}], spacing = {h} }}\ninitial = {{ u = \
         \"{initial}\" }}\n\
         [record.p]\ntraces = [{{ variables = [\"u\"], interval = 10 }}]\n"
    )
}

fn speed(text: &str, n: usize, h: f64, (from, to): (usize, usize)) -> f64 {
    let result = run(text);
    let rows: Vec<&[f64]> = trace(&result, "p", "u").chunks(n).collect();
    (front(rows[to], 0.5, h) - front(rows[from], 0.5, h)) / (10.0 * (to - from) as f64)
}

#[test]
fn fronts_have_their_speeds() {
    // Nagumo: sqrt(D/2)(1 - 2a) = 0.353553 at a = 0.25; the grid takes off its share, of order h^2.
    for scheme in ["", "integrator = \"crank_nicolson\"\n", "integrator = \"spectral\"\n"] {
        let text = reaction("u*(1 - u)*(u - a)", "where(x < 10, 1, 0)", (400, 0.2), (0.05, 100.0), scheme);
        let found = speed(&text, 400, 0.2, (5, 10));
        assert!((found - 0.353553).abs() < 0.002, "{scheme}: {found}");
    }
    // Fisher: 2 sqrt(r D), approached from below as 2 - 3/(2 t) (Bramson 1983).
    let text = reaction("r*u*(1 - u)", "where(x < 5, 1, 0)", (600, 0.4), (0.05, 90.0), "");
    let found = speed(&text, 600, 0.4, (5, 9));
    let expected = 2.0 - 1.5 * (9.0f64 / 5.0).ln() / 40.0;
    assert!((found - expected).abs() < 0.02 && found < 2.0, "{found}, expected {expected}");
}

#[test]
fn a_cable_is_attenuated_as_its_closed_form_says() {
    // d 2 um, L 1000 um, R_m 20 kohm cm2, R_a 150 ohm cm: V(L)/V(0) = 1/cosh(L/lambda) = 0.5409601, mid 0.6455997.
    for scheme in ["crank_nicolson", "backward_euler"] {
        let text = format!(
            "[simulation]\nduration = \"400 ms\"\ndt = \"0.1 ms\"\n[populations.p]\nmodel = \"cable_passive\"\n\
             integrator = \"{scheme}\"\n\
             grid = {{ shape = [200], spacing = \"5 um\" }}\nparameters = {{ d = \"2 um\", R_m = \"20 kohm*cm**2\", \
             R_a = \"150 ohm*cm\", C_m = \"1 uF/cm**2\", E_L = \"-65 mV\" }}\n\
             [stimuli.i]\ntarget = \"p.I\"\nkind = \"constant\"\namplitude = \"10 uA/cm**2\"\nunits = [0]\n\
             [record.p]\ntraces = [{{ variables = [\"V_m\"], interval = \"400 ms\" }}]\n"
        );
        let result = run(&text);
        let v: Vec<f64> = trace(&result, "p", "V_m")[200..].iter().map(|v| v + 65.0).collect();
        let lambda = 816.496_580_9;
        for (j, v_j) in v.iter().enumerate() {
            let expected = ((1000.0 - (j as f64 + 0.5) * 5.0) / lambda).cosh() / ((1000.0 - 2.5) / lambda).cosh();
            assert!((v_j / v[0] - expected).abs() < 1e-4, "{scheme} cell {j}: {} {expected}", v_j / v[0]);
        }
    }
}

#[test]
fn a_bump_has_the_width_of_its_closed_form() {
    // w = 2 exp(-|x|) - exp(-|x|/2), h = -0.3: width 3.388116 (Amari 1977); a steep rate in place of the step keeps the
    // edges from resting between cells.
    let text = "[simulation]\nduration = 60\ndt = 0.05\n[models.field]\ntime_unit = \"1\"\n\
         equations = \"du/dt = -u + h + 4*convolve(exponential(1), sigmoid(40*u)) - 4*convolve(exponential(2), \
         sigmoid(40*u)) : 1\"\nparameters = { h = -0.3 }\n\
         [populations.p]\nmodel = \"field\"\ngrid = { shape = [1200], spacing = 0.05, boundary = \"periodic\" }\n\
         initial = { u = \"where(abs(x - 30) < 2.5, 1, -0.3)\" }\n\
         [record.p]\ntraces = [{ variables = [\"u\"], interval = 60 }]\n";
    let result = run(text);
    let u = &trace(&result, "p", "u")[1200..];
    let left =
        (0..1199).find(|&j| u[j] < 0.0 && u[j + 1] >= 0.0).map(|j| j as f64 + u[j] / (u[j] - u[j + 1])).unwrap() * 0.05;
    let width = front(u, 0.0, 0.05) - left;
    assert!((width - 3.388116).abs() < 0.02, "{width}");
}

#[test]
fn one_and_two_threads_give_the_same_bits() {
    let text = "[simulation]\nduration = \"20 ms\"\ndt = \"0.05 ms\"\nseed = 5\n[models.sheet]\n\
         equations = \"dV_m/dt = (E_L - V_m + R_m*I + s**2*laplacian(V_m))/tau + sigma*sqrt(2/tau)*xi : V\"\n\
         threshold = \"V_m > V_th\"\nreset = \"V_m = E_L\"\ninputs = { I = \"A\" }\n\
         parameters = \
         { E_L = \"-65 mV\", R_m = \"100 Mohm\", tau = \"10 ms\", sigma = \"3 mV\", V_th = \"-55 mV\", s = \"40 um\" \
         }\ninitial = { V_m = \"E_L\" }\n\
         [populations.p]\nmodel = \"sheet\"\ngrid = \
         { shape = [30, 20], spacing = \"50 um\", boundary = \"periodic\" }\n\
         [populations.q]\nmodel = \"lif\"\nsize = 400\nreceptors.syn = { kind = \"exp_current\", tau = \"5 ms\" }\n\
         [projections.pq]\nfrom = \"p\"\nto = \"q.syn\"\nconnect = { rule = \"probability\", p = 0.1 }\nweight = \"50 \
         pA\"\ndelay = \"1 ms\"\n\
         [stimuli.i]\ntarget = \"p.I\"\nkind = \"constant\"\namplitude = \"0.12 nA\"\n\
         [record.p]\nspikes = true\ntraces = [{ variables = [\"V_m\"], interval = \"1 ms\" }]\n[record.q]\nspikes = \
         true\ntraces = [{ variables = [\"V_m\"], interval = \"1 ms\" }]\n";
    let (one, two) = (run_on(text, 1), run_on(text, 2));
    assert_eq!((one.stopped.clone(), two.stopped.clone()), (None, None));
    assert!(one.recording.spikes[0].len() > 200, "{}", one.recording.spikes[0].len());
    assert!(one.recording == two.recording);
}

#[test]
fn reaction_and_diffusion_together_have_the_order_of_the_scheme() {
    // Halving the step thrice: differences shrink by 2^order.
    for (scheme, order, dt) in [
        ("crank_nicolson", 2.0, 0.1),
        ("backward_euler", 1.0, 0.1),
        ("spectral", 2.0, 0.1),
        ("ftcs", 1.0, 0.1),
        ("dufort_frankel", 1.0, 0.025),
    ] {
        let at = |dt: f64| -> Vec<f64> {
            let text = reaction(
                "u*(1 - u)*(u - a)",
                "1/(1 + exp((x - 10)/1.4142))",
                (60, 0.5),
                (dt, 10.0),
                &format!("integrator = \"{scheme}\"\n"),
            );
            trace(&run(&text), "p", "u")[60..].to_vec()
        };
        let (a, b, c) = (at(dt), at(dt / 2.0), at(dt / 4.0));
        let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let found = (far(&a, &b) / far(&b, &c)).log2();
        assert!((found - order).abs() < 0.15, "{scheme}: order {found}");
    }
}

/// The greatest error of both components of the gradient of sin(kx) cos(qy) in a plane of `n` by `n` cells, 1 mm wide.
fn gradient_error(n: usize, boundary: &str, (u, dx, dy): (&str, &str, &str)) -> f64 {
    let text = format!(
        "[simulation]\nduration = \"1 ms\"\ndt = \"1 ms\"\n[models.plane]\nequations = \"dV_m/dt = 0*V_m/tau : V\\ngx \
         = gradient_x(V_m) : V/m\\ngy = gradient_y(V_m) : V/m\"\nparameters = {{ tau = \"1 s\" }}\n\
         [populations.p]\nmodel = \"plane\"\ngrid = {{ shape = [{n}, {n}], spacing = \"{} mm\", boundary = \
         \"{boundary}\" }}\ninitial = {{ V_m = \"[1 mV]*{u}\" }}\n\
         [populations.q]\nmodel = \"plane\"\ngrid = {{ shape = [{n}, {n}], spacing = \"{} mm\", boundary = \
         \"{boundary}\" }}\ninitial = {{ V_m = \"[1 V/m]*[1 mm]*{dx}\" }}\n\
         [populations.r]\nmodel = \"plane\"\ngrid = {{ shape = [{n}, {n}], spacing = \"{} mm\", boundary = \
         \"{boundary}\" }}\ninitial = {{ V_m = \"[1 V/m]*[1 mm]*{dy}\" }}\n\
         [record.p]\ntraces = [{{ variables = [\"gx\", \"gy\"] }}]\n[record.q]\ntraces = [{{ variables = [\"V_m\"] \
         }}]\n[record.r]\ntraces = [{{ variables = [\"V_m\"] }}]\n",
        1.0 / n as f64,
        1.0 / n as f64,
        1.0 / n as f64
    );
    let result = run(&text);
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).take(n * n).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    far(trace(&result, "p", "gx"), trace(&result, "q", "V_m"))
        .max(far(trace(&result, "p", "gy"), trace(&result, "r", "V_m")))
}

#[test]
fn both_components_of_a_gradient_in_a_plane_are_of_second_order() {
    // Periodic: wave numbers 2 pi and 4 pi per mm. Sealed: half waves, whose slope is 0 at the ends.
    let ring = (
        "sin(6.283185307179586*x/[1 mm])*cos(12.566370614359172*y/[1 mm])",
        "6.283185307179586*cos(6.283185307179586*x/[1 mm])*cos(12.566370614359172*y/[1 mm])",
        "(-12.566370614359172)*sin(6.283185307179586*x/[1 mm])*sin(12.566370614359172*y/[1 mm])",
    );
    for (n, expected) in [(16, 2.0), (32, 2.0)] {
        let order = (gradient_error(n, "periodic", ring) / gradient_error(2 * n, "periodic", ring)).log2();
        assert!((order - expected).abs() < 0.1, "{n}: order {order}");
    }
    // Mirror images at the ends: the value half a cell outside is that half a cell inside, so cells stand at (i + 1/2)
    // spacing.
    let half = |n: usize| {
        let shift = |c: &str| format!("(3.141592653589793*({c}/[1 mm] + 0.5/{n}))");
        let (x, y) = (shift("x"), shift("y"));
        let u = format!("cos({x})*cos({y})");
        let (dx, dy) =
            (format!("(-3.141592653589793)*sin({x})*cos({y})"), format!("(-3.141592653589793)*cos({x})*sin({y})"));
        gradient_error(n, "no_flux", (&u, &dx, &dy))
    };
    let order = (half(16) / half(32)).log2();
    assert!((order - 2.0).abs() < 0.1, "sealed: order {order}");
}

#[test]
fn a_bump_is_carried_across_a_plane_by_its_gradient() {
    // u' = -a u_x - b u_y + D lap u on a torus: the bump moves by (a, b) a unit of time.
    let text = "[simulation]\nduration = 4\ndt = 0.01\n[models.drift]\ntime_unit = \"1\"\n\
         equations = \"du/dt = -a*gradient_x(u) - b*gradient_y(u) + D*laplacian(u) : 1\"\nparameters = \
         { a = 1, b = -0.25, D = 0.02 }\n\
         [populations.p]\nmodel = \"drift\"\ngrid = { shape = [60, 50], spacing = 0.2, boundary = \"periodic\" }\n\
         initial = { u = \"exp(-((x - 4)**2 + (y - 5)**2)/2)\" }\n\
         [record.p]\ntraces = [{ variables = [\"u\"], interval = 4 }]\n";
    let result = run(text);
    let u = &trace(&result, "p", "u")[3000..];
    let mass: f64 = u.iter().sum();
    let centre = |f: &dyn Fn(usize) -> f64| u.iter().enumerate().map(|(i, v)| v * f(i)).sum::<f64>() / mass;
    let (x, y) = (centre(&|i| (i % 60) as f64 * 0.2), centre(&|i| (i / 60) as f64 * 0.2));
    assert!((x - 8.0).abs() < 0.02 && (y - 4.0).abs() < 0.02, "{x} {y}");
}

#[test]
fn gradients_that_a_grid_does_not_have_are_refused() {
    let refused = |operator: &str, shape: &str| {
        let text = format!(
            "[simulation]\nduration = 1\ndt = 0.1\n[models.m]\ntime_unit = \"1\"\nequations = \"du/dt = \
             -{operator}(u) : 1\"\n\
             [populations.p]\nmodel = \"m\"\ngrid = {{ shape = {shape}, spacing = 1, boundary = \"periodic\" }}\n"
        );
        refusal(&text)
    };
    assert!(refused("gradient", "[8, 8]").contains("write `gradient_x` or `gradient_y`"));
    assert!(refused("gradient_y", "[8]").contains("this grid is a line"));
    assert_eq!(refused("gradient_x", "[8]"), "");
}
