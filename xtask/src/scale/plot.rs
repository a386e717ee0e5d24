//! The plot of docs/scale.md.

use plotters::prelude::*;

use super::{Results, page};
use crate::workspace::{self, Outcome};

const FILE: &str = "docs/scale.svg";
const SIZE: (u32, u32) = (720, 440);
const FONT: (&str, u32) = ("sans-serif", 14);

/// Packets per host and minute over the number of hosts.
pub(super) fn draw(results: &Results) -> Outcome {
    let file = workspace::root().join(FILE);
    let same = page::per_host(results, "popular", "later");
    let other = page::per_host(results, "anybody", "first");
    draw_into(&file, &same, &other).map_err(|error| format!("{FILE}: {error}"))
}

fn draw_into(
    file: &std::path::Path,
    same: &[(f64, f64)],
    other: &[(f64, f64)],
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .caption("what a host sends, as others join it", ("sans-serif", 18))
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d((10.0..10_000.0).log_scale(), (0.1..10.0).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("hosts on the link")
        .y_desc("packets per host and minute")
        .axis_desc_style(FONT)
        .label_style(FONT)
        .light_line_style(WHITE)
        .draw()?;
    for (points, colour, label) in [
        (same, BLUE, "all look for the same"),
        (other, RED, "each looks for another"),
    ] {
        chart
            .draw_series(LineSeries::new(
                points.iter().copied(),
                colour.stroke_width(2),
            ))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        let dot = |point: &(f64, f64)| Circle::new(*point, 4, colour.filled());
        chart.draw_series(points.iter().map(dot))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .label_font(FONT)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
