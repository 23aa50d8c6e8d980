"use strict";
// Charts: each block of JSON in a .chart is a plotly figure without colours; they come from the page's own style.
function draw() {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim(), line = style.getPropertyValue("--line").trim();
  document.querySelectorAll(".chart").forEach((box) => {
    box.figure = box.figure || JSON.parse(box.querySelector("script").textContent);
    const axis = { gridcolor: line, zerolinecolor: line, linecolor: line };
    const own = box.figure.layout;
    const layout = Object.assign({}, own, {
      paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: ink, size: 12 },
      margin: { l: 52, r: 12, t: 14, b: 44 }, legend: { orientation: "h", y: 1.12, x: 0 },
      hoverlabel: { font: { size: 13 } },
      xaxis: Object.assign({}, axis, { automargin: true }, own.xaxis), yaxis: Object.assign({}, axis, { automargin: true }, own.yaxis),
    });
    if (own.height) box.style.height = own.height + "px";
    Plotly.react(box, box.figure.data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
  });
}
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

// Tables: filter by any text, sort by a column.
document.querySelectorAll(".table").forEach((box) => {
  const body = box.querySelector("tbody"), rows = [...body.rows], count = box.querySelector(".count");
  const filter = (text) => {
    const wanted = text.toLowerCase();
    let n = 0;
    rows.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); n += row.hidden ? 0 : 1; });
    count.textContent = n + " of " + rows.length + " rows";
  };
  box.querySelector("input").addEventListener("input", (event) => filter(event.target.value));
  filter("");
  const numeric = (text) => (text.trim() === "" ? NaN : Number(text.replace(/,/g, "")));
  box.querySelectorAll("th").forEach((head, column) => {
    let way = 1;
    const sort = () => {
      rows.sort((a, b) => {
        const [x, y] = [a.cells[column].textContent, b.cells[column].textContent];
        const [m, n] = [numeric(x), numeric(y)];
        return way * (Number.isNaN(m) || Number.isNaN(n) ? x.localeCompare(y) : m - n);
      });
      way = -way;
      body.append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
});
