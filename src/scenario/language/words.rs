//! Words that a key takes, each a variant of a closed enum.

use super::WordOf;

/// An enum whose variants scenarios name.
pub trait Words: Copy + 'static {
    /// The words with their meanings, in the order of the variants.
    const WORDS: &'static [WordOf];

    /// The variant that a word names.
    fn of(word: &str) -> Option<Self>;

    /// The word of a variant.
    fn word(self) -> &'static str;
}

/// Declares an enum together with the words that scenarios use for its variants; the doc comments are the meanings that
/// people read, one line each.
macro_rules! words {
    (
        #[doc = $about:literal]
        $(#[$meta:meta])*
        $vis:vis enum $Name:ident {
            $( #[doc = $meaning:literal] $(#[$inner:ident])? $Variant:ident = $word:literal, )*
        }
    ) => {
        #[doc = $about]
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $Name {
            $( #[doc = $meaning] $(#[$inner])? $Variant, )*
        }

        impl $crate::language::Words for $Name {
            const WORDS: &'static [$crate::language::WordOf] = &[
                $( $crate::language::WordOf { name: $word, about: $crate::language::first_word($meaning) } ),*
            ];

            fn of(word: &str) -> Option<Self> {
                match word {
                    $( $word => Some(Self::$Variant), )*
                    _ => None,
                }
            }

            fn word(self) -> &'static str {
                match self {
                    $( Self::$Variant => $word, )*
                }
            }
        }
    };
}
pub(crate) use words;
