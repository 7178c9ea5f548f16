//! What a server did in each second, as sums, as a table and as a picture.

use std::fmt::Write as _;
use std::path::Path;

/// What a server has done in a second.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Second {
    pub(crate) good: u32,
    /// Answered with 503 or 429, because it was too much.
    pub(crate) overload: u32,
    /// Not answered, because it was down.
    pub(crate) down: u32,
}

/// What came of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    pub(crate) good: u32,
    pub(crate) overload: u32,
    pub(crate) down: u32,
}

impl Sum {
    /// The first so many seconds.
    pub(crate) fn of(diary: &[Second], watch_s: u32) -> Self {
        let watched = usize::try_from(watch_s).expect("not that many");
        diary.iter().take(watched).fold(Self::default(), |sum, second| Self {
            good: sum.good + second.good,
            overload: sum.overload + second.overload,
            down: sum.down + second.down,
        })
    }

    /// How many of the requests were answered with an overload error.
    pub(crate) fn overload_share(self) -> f64 {
        f64::from(self.overload) / f64::from((self.good + self.overload + self.down).max(1))
    }
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 160.0;

/// Writes `NAME.csv` and `NAME.svg` into `folder`.
pub(crate) fn write(folder: &Path, name: &str, diary: &[Second]) {
    let file = name.replace(|char: char| !char.is_ascii_alphanumeric(), "-");
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join(format!("{file}.csv")), csv(diary)).expect("a file");
    std::fs::write(folder.join(format!("{file}.svg")), svg(name, diary)).expect("a file");
}

fn csv(diary: &[Second]) -> String {
    let mut text = "second,good,overload,down\n".to_owned();
    for (number, Second { good, overload, down }) in diary.iter().enumerate() {
        let _ = writeln!(text, "{number},{good},{overload},{down}");
    }
    text
}

fn svg(name: &str, diary: &[Second]) -> String {
    let most = diary.iter().map(|second| second.good.max(second.overload).max(second.down)).max();
    let most = most.unwrap_or(0).max(1);
    let seconds = u32::try_from(diary.len()).expect("not that many");
    let line = |colour: &str, number: fn(&Second) -> u32| {
        let points: Vec<_> = diary
            .iter()
            .zip(0_u32..)
            .map(|(second, at)| {
                let x = f64::from(at) / f64::from(seconds) * WIDTH;
                let y = HEIGHT - f64::from(number(second)) / f64::from(most) * HEIGHT;
                format!("{:.1},{:.1}", x + 50.0, y + 30.0)
            })
            .collect();
        format!(
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>\n",
            points.join(" ")
        )
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 220\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"800\" height=\"220\" fill=\"white\"/>\n\
         <text x=\"50\" y=\"18\">{name}: answers a second; green good, orange too much, red nobody there</text>\n\
         <text x=\"44\" y=\"38\" text-anchor=\"end\">{most}</text><text x=\"44\" y=\"194\" text-anchor=\"end\">0</text>\n\
         <text x=\"770\" y=\"208\" text-anchor=\"end\">{seconds} s</text>\n\
         <path d=\"M50 30V190H770\" fill=\"none\" stroke=\"grey\"/>\n{}{}{}</svg>\n",
        line("green", |second| second.good),
        line("orange", |second| second.overload),
        line("red", |second| second.down),
    )
}
