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

/// What a plot shows besides.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) name: &'a str,
    /// Seconds for which it was watched; what comes after is the end of the run.
    pub(crate) watch_s: u32,
    /// Answers a second at most.
    pub(crate) bears: f64,
    /// In which seconds nobody was there.
    pub(crate) down: &'a dyn Fn(u32) -> bool,
}

/// Writes `NAME.csv` and `NAME.svg` into `folder`.
pub(crate) fn write(folder: &Path, scene: Scene<'_>, diary: &[Second]) {
    let file = scene.name.replace(|char: char| !char.is_ascii_alphanumeric(), "-");
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join(format!("{file}.csv")), csv(diary)).expect("a file");
    std::fs::write(folder.join(format!("{file}.svg")), svg(scene, diary)).expect("a file");
}

fn csv(diary: &[Second]) -> String {
    let mut text = "second,good,overload,down\n".to_owned();
    for (number, Second { good, overload, down }) in diary.iter().enumerate() {
        let _ = writeln!(text, "{number},{good},{overload},{down}");
    }
    text
}

const LEFT: f64 = 60.0;
const WIDTH: f64 = 720.0;
const GOOD: &str = "#2a7f3b";
const OVERLOAD: &str = "#d95f02";
const DOWN: &str = "#7570b3";

/// One of the two plots, below each other on the same time.
struct Panel {
    top: f64,
    height: f64,
    most: f64,
    seconds: f64,
}

impl Panel {
    fn x(&self, second: f64) -> f64 {
        LEFT + second / self.seconds * WIDTH
    }

    fn y(&self, number: f64) -> f64 {
        self.top + self.height - number / self.most * self.height
    }

    /// Axes, with the numbers at them.
    fn frame(&self, what: &str) -> String {
        let (bottom, right) = (self.y(0.0), LEFT + WIDTH);
        let number = |at: f64| {
            format!(
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{at}</text>\n",
                LEFT - 6.0,
                self.y(at) + 4.0
            )
        };
        format!(
            "<path d=\"M{LEFT} {}V{bottom:.1}H{right}\" fill=\"none\" stroke=\"#888\"/>\n{}{}\
             <text x=\"{}\" y=\"{:.1}\" fill=\"#444\">{what}</text>\n",
            self.top,
            number(self.most),
            number(0.0),
            LEFT + 6.0,
            self.top - 4.0,
        )
    }

    /// A bar for each second, from `from` on.
    fn bars(&self, colour: &str, numbers: impl Iterator<Item = (f64, f64)>) -> String {
        let width = (WIDTH / self.seconds).max(2.0);
        let bar = |(second, (from, number)): (u32, (f64, f64))| {
            let top = self.y(from + number);
            format!(
                "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>\n",
                self.x(second.into()),
                self.y(from) - top,
            )
        };
        (0_u32..).zip(numbers).filter(|(_, (_, number))| *number > 0.0).map(bar).collect()
    }
}

fn svg(scene: Scene<'_>, diary: &[Second]) -> String {
    let Scene { name, watch_s, bears, down } = scene;
    let title = match name.strip_prefix("real: ") {
        Some(name) => format!("A real server that {name}"),
        None => format!("A server that {name}"),
    };
    let watched = usize::try_from(watch_s).expect("not that many");
    let diary: Vec<_> = (0..watched).map(|at| diary.get(at).copied().unwrap_or_default()).collect();
    let most = |number: fn(&Second) -> u32| f64::from(diary.iter().map(number).max().unwrap_or(0));
    let seconds = f64::from(watch_s);
    let rate = Panel {
        top: 46.0,
        height: 120.0,
        most: round_up((bears * 1.1).max(most(|second| second.good))),
        seconds,
    };
    let errors = most(|second| second.overload + second.down);
    let errors = Panel { top: 190.0, height: 40.0, most: round_up(errors.max(1.0)), seconds };
    let is_gone = |second: u32| second < watch_s && down(second);
    let gone: Vec<_> = (0..watch_s)
        .filter(|&second| is_gone(second) && (second == 0 || !is_gone(second - 1)))
        .map(|from| {
            let to = (from..watch_s).find(|&second| !is_gone(second)).unwrap_or(watch_s);
            let (x, end) = (rate.x(from.into()), rate.x(to.into()));
            format!("<rect x=\"{x:.1}\" y=\"46\" width=\"{:.1}\" height=\"184\" fill=\"#eee\"/>\n", end - x)
        })
        .collect();
    let points: Vec<_> = (0_u32..)
        .zip(&diary)
        .map(|(at, second)| format!("{:.1},{:.1}", rate.x(f64::from(at) + 0.5), rate.y(second.good.into())))
        .collect();
    let overload = |second: &Second| (0.0, f64::from(second.overload));
    let unanswered = |second: &Second| (f64::from(second.overload), f64::from(second.down));
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0].into_iter().find(|step| step * 10.0 >= seconds);
    let times: Vec<_> = (0..=10)
        .map(|number| f64::from(number) * step.unwrap_or(120.0))
        .filter(|&at| at <= seconds)
        .map(|at| format!("<text x=\"{:.1}\" y=\"246\" text-anchor=\"middle\">{at} s</text>\n", rate.x(at)))
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 256\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"800\" height=\"256\" fill=\"white\"/>\n{}\
         <text x=\"{LEFT}\" y=\"18\" font-size=\"14\">{title}</text>\n{}{}\
         <path d=\"M{LEFT} {bears_y:.1}H780\" stroke=\"#888\" stroke-dasharray=\"4 3\"/>\n\
         <polyline fill=\"none\" stroke=\"{GOOD}\" stroke-width=\"1.5\" points=\"{}\"/>\n{}{}{}</svg>\n",
        gone.concat(),
        rate.frame("answers a second; dashed: what it bears; grey: nobody is there"),
        errors.frame(&format!(
            "errors a second: <tspan fill=\"{OVERLOAD}\">too much</tspan>, <tspan fill=\"{DOWN}\">sent while nobody was there</tspan>"
        )),
        points.join(" "),
        errors.bars(OVERLOAD, diary.iter().map(overload)),
        errors.bars(DOWN, diary.iter().map(unanswered)),
        times.concat(),
        bears_y = rate.y(bears),
    )
}

/// The next number that is 1, 2 or 5 with noughts behind it, or a half more.
fn round_up(number: f64) -> f64 {
    let unit = 10_f64.powf(number.max(1.0).log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|step| step * unit);
    steps.into_iter().find(|&step| step >= number && step.fract() == 0.0).unwrap_or(10.0 * unit)
}
