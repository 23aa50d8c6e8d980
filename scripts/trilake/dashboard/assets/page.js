"use strict";
// Charts: each .chart holds a plotly figure as JSON; ink and lines come from the page's style, light or dark.
function draw() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const [ink, soft, line, sheet] = ["--ink", "--soft", "--line", "--sheet"].map(colour);
  const font = { color: soft, size: 12, family: getComputedStyle(document.body).fontFamily };
  document.querySelectorAll(".chart").forEach((box) => {
    box.figure = box.figure || JSON.parse(box.querySelector("script").textContent);
    const own = box.figure.layout;
    const axis = (mine) => Object.assign({ gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true }, mine);
    const rows = new Set(box.figure.data.flatMap((trace) => (typeof trace.y?.[0] === "string" ? trace.y : []))).size;
    if (rows > 9) box.style.height = 70 + rows * 24 + "px";
    const layout = Object.assign({}, own, {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font, xaxis: axis(own.xaxis), yaxis: axis(own.yaxis),
      margin: { l: 48, r: 14, t: own.showlegend ? 40 : 18, b: 40 },
      legend: { orientation: "h", x: 0, y: 1.03, yanchor: "bottom", traceorder: "normal" },
      hoverlabel: { bgcolor: sheet, bordercolor: line, font: { color: ink, size: 13 }, align: "left" },
    });
    Plotly.react(box, box.figure.data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
  });
}
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

// Tables: filter by any text, sort by a column; empty cells last.
const numeric = (text) => (text.trim() === "" ? NaN : Number(text.replace(/[,<]/g, "")));
function compare(x, y) {
  if (!x.trim() || !y.trim()) return !x.trim() - !y.trim();
  const [m, n] = [numeric(x), numeric(y)];
  return Number.isNaN(m) || Number.isNaN(n) ? x.localeCompare(y) : m - n;
}
document.querySelectorAll(".table").forEach((box) => {
  const body = box.querySelector("tbody"), rows = [...body.rows], count = box.querySelector(".count");
  const filter = (text) => {
    const wanted = text.toLowerCase();
    rows.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
    const n = rows.filter((row) => !row.hidden).length;
    count.textContent = `${n} of ${rows.length} rows`;
  };
  box.querySelector("input").addEventListener("input", (event) => filter(event.target.value));
  filter("");
  const heads = box.querySelectorAll("thead th");
  heads.forEach((head, column) => {
    const sort = () => {
      const way = head.className.includes("up") ? "down" : "up";
      heads.forEach((one) => one.classList.remove("up", "down"));
      head.classList.add(way);
      const text = (row) => row.cells[column].textContent;
      rows.sort((a, b) => {
        const isEmpty = !text(a).trim() || !text(b).trim();
        return (way === "up" || isEmpty ? 1 : -1) * compare(text(a), text(b));
      });
      body.append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); } });
  });
});
