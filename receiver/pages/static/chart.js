// The chart of events an hour, drawn from the table behind it: bars, and the usual range as a band.
// It may come with a refresh of the page, when the first event has come, and is drawn anew when the table has changed.
"use strict";
(() => {
  const HEIGHT = 170;
  const HOUR_S = 3600;
  const said = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
  const saidDay = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
  let chart = null;
  let shown = "";

  const read = (figure) => {
    const rows = [...figure.querySelectorAll("tr[data-at]")].reverse();
    const column = (name) => rows.map((row) => (name in row.dataset ? Number(row.dataset[name]) : null));
    return [column("at"), column("high"), column("low"), column("events")];
  };
  const sayTicks = (_, ticks) => ticks.map((tick, place) => {
    const at = new Date(tick * 1000);
    const isNewDay = place === 0 || new Date(ticks[place - 1] * 1000).getDate() !== at.getDate();
    return isNewDay ? `${said.format(at)}\n${saidDay.format(at)}` : said.format(at);
  });
  const draw = (plot, data) => {
    const colours = getComputedStyle(plot);
    const [ink, line, accent, band] = ["--soft", "--line", "--accent", "--quiet-back"].map((name) => colours.getPropertyValue(name).trim());
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line }, font: "12px Inter, sans-serif" };
    const edge = { stroke: "transparent", points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) };
    if (chart) chart.destroy();
    chart = new uPlot({
      width: plot.clientWidth, height: HEIGHT, legend: { show: false }, cursor: { show: false },
      scales: { x: { range: (_, first, last) => [first, last + HOUR_S] }, y: { range: (_, __, most) => [0, Math.max(most, 4) * 1.1] } },
      series: [{}, { ...edge }, { ...edge }, {
        fill: accent, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.75], align: 1 }),
      }],
      bands: [{ series: [1, 2], fill: band }],
      axes: [{ ...axis, space: 70, values: sayTicks }, { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000] }],
    }, data, plot);
  };
  const update = (again) => {
    const figure = document.querySelector("[data-chart]");
    if (!figure || typeof uPlot === "undefined") return;
    const plot = figure.querySelector(".plot");
    const data = read(figure);
    const text = JSON.stringify(data);
    if (!again && text === shown && plot.firstChild) return;
    shown = text;
    draw(plot, data);
  };
  update(true);
  for (const name of ["htmx:afterSwap", "htmx:afterSettle"]) document.body.addEventListener(name, () => update(false));
  window.addEventListener("resize", () => update(true));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => update(true));
})();
