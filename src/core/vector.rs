//! Which vector instructions loops over many values are compiled for, and the macro that compiles a function for each.
//!
//! A function inside [`vectorised!`] exists three times: for AVX-512, for AVX2 with FMA, and for any machine. The level
//! in use decides, once a process, which of them is called: the highest that the machine has, or a lower one that
//! [`VARIABLE`] asks for. All three do the same operations in the same order, with fused multiply-adds where these are
//! written, and so give the same bits; tests run them at lower levels and compare.

use std::sync::LazyLock;

use ::multiversion::multiversion;
use ::multiversion::target::match_target;

/// What [`vectorised!`] is made of, for crates that use it.
#[doc(hidden)]
pub use ::multiversion;

pub use crate::vectorised;

/// The environment variable that lowers the level: `avx512`, `avx2` or `baseline`. It never raises it above what the
/// machine has. It is read once; any other word is as good as none here, and the command line refuses it (see
/// [`asked`]).
pub const VARIABLE: &str = "SPIKEDECK_VECTOR";

/// Vector instructions, from the fewest to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What every machine of this architecture has; fused multiply-adds are calls where it has none.
    Baseline,
    /// AVX2 with FMA (Haswell, Zen and later).
    Avx2,
    /// AVX-512 of Ice Lake and later; earlier processors with AVX-512 use AVX2, which is faster there.
    Avx512,
}

impl Level {
    /// All, by the words that [`VARIABLE`] takes.
    pub const LIST: [(&'static str, Self); 3] =
        [("baseline", Self::Baseline), ("avx2", Self::Avx2), ("avx512", Self::Avx512)];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::LIST[self as usize].0
    }
}

/// The highest level that this machine has.
pub fn detected() -> Level {
    #[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+fma+avx2", "x86_64+avx2+fma"))]
    fn of_this_machine() -> Level {
        match_target! {
            "x86_64+avx512f+avx512dq+avx512vl+avx512bw+fma+avx2" => Level::Avx512,
            "x86_64+avx2+fma" => Level::Avx2,
            _ => Level::Baseline,
        }
    }
    of_this_machine()
}

/// The level that the environment asks for, if it does.
///
/// # Errors
/// A word that is no level, with those that are.
pub fn asked() -> Result<Option<Level>, String> {
    let Some(word) = std::env::var_os(VARIABLE).filter(|w| !w.is_empty()) else { return Ok(None) };
    level_of(&word.to_string_lossy()).map(Some)
}

fn level_of(word: &str) -> Result<Level, String> {
    Level::LIST.iter().find(|l| l.0 == word).map(|l| l.1).ok_or_else(|| {
        format!(
            "{VARIABLE} is `{word}`, which is no level of vector instructions: avx512, avx2 and baseline are, and \
             each at \
             most lowers what the machine has"
        )
    })
}

/// The level in use.
pub fn level() -> Level {
    static LEVEL: LazyLock<Level> =
        LazyLock::new(|| asked().ok().flatten().map_or_else(detected, |l| l.min(detected())));
    *LEVEL
}

/// The version of a function that the level in use calls for.
#[doc(hidden)]
pub fn choose<F>(baseline: F, avx2: fn() -> F, avx512: fn() -> F) -> F {
    match level() {
        Level::Baseline => baseline,
        Level::Avx2 => avx2(),
        Level::Avx512 => avx512(),
    }
}

/// Compiles a function for each [`Level`], and calls the version of the level in use:
/// `vectorised! { fn name(a: A, b: B) -> C { ... } }`.
///
/// With `up to avx2:` before it there is no version for AVX-512, where wider vectors would only make it longer to
/// compile. Arguments are names (patterns go into the body); there are no generic parameters and no named lifetimes.
/// What the body calls in its loops is `#[inline(always)]`, or it stays compiled for any machine.
#[macro_export]
macro_rules! vectorised {
    (up to avx2: $($function:tt)*) => {
        $crate::vectorised_function!([] $($function)*);
    };
    ($($function:tt)*) => {
        $crate::vectorised_function!([wide] $($function)*);
    };
}

/// What [`vectorised!`] makes of a function.
#[doc(hidden)]
#[macro_export]
macro_rules! vectorised_function {
    (
        [$($wide:tt)?] $(#[$meta:meta])*
        $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)? $body:block
    ) => {
        $(#[$meta])*
        #[inline]
        $vis fn $name($($arg: $ty),*) $(-> $out)? {
            use $crate::vector::multiversion;

            type Version = fn($($ty),*) $(-> $out)?;
            #[inline(always)]
            fn vectorised_body($($arg: $ty),*) $(-> $out)? $body
            fn baseline_version($($arg: $ty),*) $(-> $out)? {
                vectorised_body($($arg),*)
            }
            $crate::vectorised_function!(@avx2 ($($arg: $ty),*) ($(-> $out)?));
            $crate::vectorised_function!(@avx512 [$($wide)?] ($($arg: $ty),*) ($(-> $out)?));
            static VERSION: std::sync::LazyLock<Version> =
                std::sync::LazyLock::new(|| $crate::vector::choose(baseline_version, avx2_version, avx512_version));
            VERSION($($arg),*)
        }
    };
    (@avx2 $arguments:tt $out:tt) => {
        $crate::vectorised_function!(@version avx2_version "x86_64+avx2+fma" $arguments $out);
    };
    (@avx512 [wide] $arguments:tt $out:tt) => {
        $crate::vectorised_function!(
            @version avx512_version "x86_64+avx512f+avx512dq+avx512vl+avx512bw+fma+avx2" $arguments $out
        );
    };
    (@avx512 [] $arguments:tt $out:tt) => {
        fn avx512_version() -> Version {
            avx2_version()
        }
    };
    (@version $name:ident $target:tt ($($arg:ident: $ty:ty),*) ($($out:tt)*)) => {
        #[multiversion::multiversion(targets($target))]
        fn $name() -> Version {
            multiversion::target::match_target! {
                $target => {
                    #[multiversion::inherit_target]
                    fn version($($arg: $ty),*) $($out)* {
                        vectorised_body($($arg),*)
                    }
                    version
                },
                _ => baseline_version,
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    vectorised! {
        /// The level that this body was compiled for, and a product that is fused at each.
        fn compiled(a: f64, b: &[f64; 2]) -> f64 {
            a.mul_add(b[0], b[1])
        }
    }

    #[test]
    fn words_are_levels_and_others_are_told() {
        for (word, level) in Level::LIST {
            assert_eq!((level_of(word), level.word()), (Ok(level), word));
        }
        let told = level_of("sse").unwrap_err();
        assert!(told.contains("`sse`") && told.contains("avx512, avx2 and baseline"), "{told}");
        assert!(Level::Baseline < Level::Avx2 && Level::Avx2 < Level::Avx512);
    }

    #[test]
    fn the_level_is_at_most_what_the_machine_has() {
        assert!(level() <= detected());
        // 2^-60 is lost unless the product is fused.
        assert_eq!(compiled(1.0 + 2f64.powi(-30), &[1.0 - 2f64.powi(-30), -1.0]), -(2f64.powi(-60)));
    }
}
