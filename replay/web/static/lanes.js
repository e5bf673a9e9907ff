// The lanes of the timeline, drawn with uPlot. Numbers in here are places on a drawing; what is read
// stands beside it as text, in the tables, exactly as the server wrote it.
"use strict";

window.Lanes = (() => {
  const WORST = "liquidation";
  const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];
  const STROKES = ["--accent", "--second", "--soft", "--ink"];
  const WORDS = { ratio: "Margin ratio", equity: "Equity", supplied: "Supplied", borrowed: "Borrowed" };
  const PATH = uPlot.paths.stepped({ align: 1 });
  const compact = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2, notation: "compact" });
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const pixels = (name) => parseFloat(css(name)) * (css(name).endsWith("rem") ? 16 : 1);
  const line = (stroke, dash, width = 1.75) => ({
    stroke: () => css(stroke), dash, width, paths: PATH, points: { show: false }, spanGaps: false,
  });
  const ghostly = line("--ghost", [2, 3], 1.5);

  let box; // where the lanes stand
  let span; // first and last moment
  let plots = [];
  let marks = [];

  function make(name, more, data) {
    const place = box.querySelector(`[data-lane="${name}"] .plot`);
    const isLast = name === "positions";
    const axis = { stroke: () => css("--soft"), font: `11px ${css("--text")}`, ticks: { show: false },
      grid: { stroke: () => css("--rule"), width: 1 } };
    const amounts = (_, ticks) => ticks.map((tick) => (tick === null ? "" : compact.format(tick)));
    const plot = new uPlot({
      width: place.clientWidth, height: place.clientHeight, ms: 1, legend: { show: false },
      padding: [6, pixels("--tail"), isLast ? 0 : 6, 0],
      tzDate: (moment) => uPlot.tzDate(new Date(moment), "UTC"),
      scales: { x: { time: true, range: span }, y: { range: more.range } },
      series: [{}, ...more.series],
      axes: [
        { ...axis, size: isLast ? 36 : 0, space: 70, values: isLast ? dates : () => [] },
        { ...axis, size: pixels("--gutter"), gap: 8, space: more.space || 24, values: more.values || amounts, splits: more.splits },
      ],
      cursor: { sync: { key: "lanes" }, y: false, drag: { x: false, y: false }, points: { show: false } },
      hooks: { drawClear: [gaps, ...(more.under || [])], draw: [worst] },
    }, data, place);
    plots.push(plot);
  }

  // Times of day, with the day under the first of each; days alone where they lie close.
  function dates(_, moments, __, ___, apart) {
    return moments.map((moment, number) => {
      const [day, time] = new Date(moment).toISOString().split("T");
      if (apart >= 86_400_000) return apart > 27 * 86_400_000 ? day.slice(0, 7) : day.slice(5);
      return number === 0 || time.startsWith("00:00:00.000") ? `${time.slice(0, 5)}\n${day.slice(5)}` : time.slice(0, 5);
    });
  }

  // Where a line is unknown the ground is gray: a gap alone is easily overlooked.
  function gaps(plot) {
    const [times, values] = plot.data;
    if (plot.root.closest('[data-lane="events"]')) return;
    const { left, top, width, height } = plot.bbox;
    plot.ctx.fillStyle = css("--gap");
    for (let from = 0; from < times.length; from += 1) {
      if (values[from] !== null) continue;
      const first = from;
      while (from < times.length && (values[from] ?? null) === null) from += 1; // undefined: not sampled
      const x = plot.valToPos(times[first], "x", true);
      const end = from < times.length ? plot.valToPos(times[from], "x", true) : left + width;
      plot.ctx.fillRect(x, top, end - x, height);
    }
  }

  // Every liquidation as a broken line through all lanes.
  function worst({ ctx, bbox, valToPos }) {
    ctx.save();
    ctx.strokeStyle = css("--limit");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    for (const mark of marks.filter((each) => each.family === WORST)) {
      const x = Math.round(valToPos(mark.ms, "x", true));
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
    }
    ctx.stroke();
    ctx.restore();
  }

  // The ground above the limit, as far as there is one, and its name wherever it changes.
  function above({ ctx, bbox, valToPos, data: [times, , limits] }) {
    const own = times.map((at, place) => ({ at, limit: limits[place] })).filter((each) => each.limit !== undefined);
    const turns = own.filter((each, place) => place === 0 || each.limit !== own[place - 1].limit);
    ctx.font = `${11 * devicePixelRatio}px ${css("--text")}`;
    [ctx.textAlign, ctx.textBaseline] = ["left", "bottom"];
    turns.forEach(({ at, limit }, place) => {
      if (limit === null) return;
      const [x, y] = [valToPos(at, "x", true), valToPos(limit, "y", true)];
      const end = place + 1 < turns.length ? valToPos(turns[place + 1].at, "x", true) : bbox.left + bbox.width;
      ctx.fillStyle = css("--limit-wash");
      ctx.fillRect(x, bbox.top, end - x, y - bbox.top);
      ctx.fillStyle = css("--limit");
      ctx.fillText(`liquidation above ${limit}`, x + 6 * devicePixelRatio, y - 4 * devicePixelRatio);
    });
  }

  // ------------------------------------------------------------------ the lanes one by one

  function events() {
    const rows = [...new Set(marks.map((each) => each.family))].sort();
    const times = [...new Set(marks.flatMap((each) => [each.ms, each.until]))].sort((one, other) => one - other);
    const place = new Map(times.map((each, number) => [each, number]));
    const level = (family) => rows.length - rows.indexOf(family);
    const series = rows.map((family) => {
      const values = times.map(() => null);
      for (const mark of marks.filter((each) => each.family === family)) values[place.get(mark.ms)] = level(family);
      return values;
    });
    const color = (family) => () => css(family === WORST ? "--limit" : "--accent");
    box.querySelector('[data-lane="events"] .plot').style.height = `${Math.max(1, rows.length) * 17 + 12}px`;
    make("events", {
      range: [0.4, Math.max(1, rows.length) + 0.6], space: 1, splits: () => rows.map(level),
      values: (_, ticks) => ticks.map((tick) => rows[rows.length - tick]),
      series: rows.map((family) => ({
        paths: () => null, stroke: color(family),
        points: { show: true, size: family === WORST ? 10 : 6, width: 1, fill: color(family) },
      })),
    }, [times, ...series]);
  }

  function ratio(lanes, ghost) {
    const values = of(lanes, "ratio").values;
    const limits = of(lanes, "limit").values;
    const other = ghost ? of(ghost, "ratio").values : [];
    const limit = Math.max(0, ...limits.filter((each) => each !== null)) || 1;
    const most = Math.max(limit * 1.25, ...[...values, ...other].map((each) => each * 1.08));
    const top = Math.min(most, limit * 2);
    const cut = (list) => list.map((each) => (each === null ? null : Math.min(each, top)));
    const isCut = [...values, ...other].some((each) => each > top);
    box.querySelector("#ratio-cut").textContent = isCut ? `· cut at ${compact.format(top)}: what is higher lies on its edge` : "";
    const data = [[lanes.moments, cut(values), limits]];
    if (ghost) data.push([ghost.moments, cut(other)]);
    make("ratio", {
      range: [0, top], series: [line("--accent", [], 2), line("--limit", [6, 4], 1.5), ...(ghost ? [ghostly] : [])],
      under: [above],
    }, uPlot.join(data));
  }

  function amounts(name, lanes, ghost, chosen) {
    const own = lanes.lanes.filter(chosen);
    const others = ghost ? ghost.lanes.filter(chosen) : [];
    const data = [[lanes.moments, ...own.map((each) => each.values)]];
    if (ghost) data.push([ghost.moments, ...others.map((each) => each.values)]);
    const all = data.flatMap(([, ...lists]) => lists.flat()).filter((each) => each !== null);
    const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
    const room = (high - low || 1) * 0.1;
    make(name, {
      range: [low < 0 ? low - room : 0, high > 0 ? high + room : room],
      series: [...own.map((_, number) => line(STROKES[number % 4], DASHES[number % 4])), ...others.map(() => ghostly)],
    }, uPlot.join(data));
  }

  const of = (lanes, name) => lanes.lanes.find((each) => each.name === name) || { values: lanes.moments.map(() => null) };

  function draw(place, answer, between) {
    for (const plot of plots) plot.destroy();
    [plots, box, span, marks] = [[], place, between, answer.marks];
    const { ghost } = answer;
    for (const each of [answer, ghost]) if (each && !each.moments) each.moments = each.times.map((second) => Math.round(second * 1000));
    events();
    ratio(answer, ghost);
    for (const name of ["equity", "supplied", "borrowed"]) amounts(name, answer, ghost, (each) => each.name === name);
    amounts("positions", answer, ghost, (each) => each.name.startsWith("position "));
    return plots;
  }

  // ------------------------------------------------------------------ the same as text

  function element(name, words, properties = {}) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...[words].flat());
    return made;
  }

  // What the lanes show, in words and exact amounts, and the events as links.
  function tables(place, answer, written, address) {
    const link = (at) => element("a", written(at), { href: address(at) });
    const said = (each, end) => [
      element("td", each[end] ? each[end].value : "unknown", { className: "number" }),
      element("td", each[end] ? link(each[end].ms) : "", { className: "when" }),
    ];
    const rows = answer.lanes.filter((each) => each.name !== "limit").map((each) => element("tr", [
      element("th", WORDS[each.name] || each.name, { scope: "row" }), element("td", each.unit),
      ...said(each, "lowest"), ...said(each, "highest"), ...said(each, "last"),
      element("td", each.unknown.map((gap) => element("div", `${written(gap.from_ms)} to ${written(gap.to_ms)}: ${gap.cause}`)), { className: "text" }),
    ]));
    const heads = ["lane", "unit", "lowest", "lowest at", "highest", "highest at", "last known", "last known at", "unknown"];
    const table = element("table", [
      element("caption", "The lanes in words", { id: "caption-lanes" }),
      element("thead", element("tr", heads.map((each) => element("th", each, { scope: "col", className: /^(lowest|highest|last known)$/.test(each) ? "number" : "" })))),
      element("tbody", rows),
    ]);
    const frame = element("div", table, { className: "frame", tabIndex: 0, role: "region" });
    frame.setAttribute("aria-labelledby", "caption-lanes");
    const list = answer.marks.map((each) => element("li", [link(each.ms), ` ${each.family}: ${each.what}`]));
    place.querySelector("#lanes-table").replaceChildren(frame, element("ul", answer.notes.map((each) => element("li", each)), { className: "notes" }));
    place.querySelector("#lanes-events").replaceChildren(element("ol", list, { className: "notes" }));
  }

  return { WORST, draw, tables, css };
})();
