// The timeline: moves the instant and what is known, and asks the server what held then.
//
// Every figure that is read comes from the server, as text, for exactly the instant and the state
// of knowledge shown. Without this script the page answers through its forms and links.
"use strict";

(() => {
  const HOUR = 3_600_000;
  const SNAP = 5; // pixels within which a drag lands on an event or a full hour
  const root = document.getElementById("timeline");
  if (!root) return;
  const get = (name) => document.getElementById(name);
  const [slider, known, lanes, line, say] = ["moment", "known", "lanes", "now", "say"].map(get);
  const iso = (moment) => new Date(moment).toISOString();
  const written = (moment) => iso(moment).replace("T", " ").replace(".000Z", " UTC").replace("Z", " UTC");
  const momentOf = (link) => Date.parse(new URL(link.href).searchParams.get("at"));
  const YEARS = 253_402_300_799_999; // an address writes no later moment as a date
  const question = (moment) => `at=${moment > YEARS ? moment : iso(moment)}&known-at=${knownAt}`;

  let [first, last] = [Number(slider.min), Number(slider.max)];
  let at = Number(root.dataset.at);
  let knownAt = root.dataset.knownAt;
  let around = neighbors(at); // of which instant the page knows the neighbors, and these
  let plots = [];
  let marks = [];

  // ------------------------------------------------------------------ asking

  let asked = new AbortController(); // of the request under way
  let flying = false;
  let pending = null; // the end of it
  let writing = 0;
  let spoken = 0;

  // One question at a time. An answer that comes while the slider is dragged on is shown, and the
  // present instant asked for next, so that the figures follow the hand; until the last has come
  // the page says that it is busy.
  async function ask() {
    asked.abort();
    asked = new AbortController();
    flying = true;
    const words = question(at);
    try {
      const answer = await fetch(`${root.dataset.state}?${words}`, { signal: asked.signal });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      show(await answer.text());
    } catch (error) {
      if (error.name === "AbortError") return;
      tell(`No answer for ${written(at)}: ${error.message}. What is shown is of another instant.`, true);
      flying = false;
      busy("false");
      return;
    }
    flying = false;
    busy(String(words !== question(at)));
    if (words === question(at)) tell();
    else await ask();
  }

  function busy(is) {
    for (const part of document.querySelectorAll("[data-part]")) part.setAttribute("aria-busy", is);
  }

  // Put each part of an answer in the place of the part of that name; keep what was opened,
  // how far it was scrolled, and where the focus was.
  function show(text) {
    const told = new DOMParser().parseFromString(text, "text/html");
    const answer = told.querySelector("[data-answer]");
    if (!answer) throw new Error("the answer is not of this page");
    document.title = told.title;
    const opened = [...document.querySelectorAll("[data-part] details[open]")].map((each) => each.id);
    const frames = [...document.querySelectorAll("[data-part] .frame")].map((each) => [each.id, each.scrollLeft]);
    for (const part of answer.querySelectorAll("[data-part]")) {
      const old = document.querySelector(`[data-part="${part.dataset.part}"]`);
      const reach = "a, summary, .frame";
      const focused = document.activeElement;
      const place = [...old.querySelectorAll(reach)].indexOf(focused);
      const made = document.importNode(part, true);
      old.replaceWith(made);
      // What has a name keeps the focus even where it leads nowhere now: the next in order is another.
      const same = place >= 0 && focused.id ? made.querySelector(`[id="${focused.id}"]`) : null;
      if (place >= 0) (same || made.querySelectorAll(reach)[place])?.focus({ preventScroll: true });
    }
    for (const id of opened) if (get(id)) get(id).open = true;
    for (const [id, left] of frames) if (left && get(id)) get(id).scrollLeft = left;
    root.dataset.say = answer.dataset.say;
    around = neighbors(Number(answer.dataset.at));
    widen(Number(answer.dataset.first), Number(answer.dataset.last));
  }

  // Another state of knowledge may reach further than the one the page was opened with.
  function widen(begin, end) {
    if (!end || (begin >= first && end <= last)) return;
    [first, last] = last ? [Math.min(first, begin), Math.max(last, end)] : [begin, end];
    [slider.min, slider.max] = [first, last];
    if (drawn) draw();
  }

  function neighbors(moment) {
    const of = (name) => (get(name).href ? momentOf(get(name)) : null);
    return { at: moment, previous: of("previous-event"), next: of("next-event") };
  }

  function tell(words, isTrouble = false) {
    get("trouble").hidden = !isTrouble;
    if (isTrouble) get("trouble").textContent = words;
    window.clearTimeout(spoken);
    spoken = window.setTimeout(() => { say.textContent = words || root.dataset.say; }, 300);
  }

  // ------------------------------------------------------------------ moving

  function go(moment, soon = false) {
    // An instant outside the history, out of an address, is kept while only what is known changes.
    if (moment !== at) at = Math.min(last, Math.max(first, Math.round(moment)));
    place();
    window.clearTimeout(writing);
    writing = window.setTimeout(() => history.replaceState(null, "", `?${question(at)}`), 100); // browsers refuse more
    for (const link of document.querySelectorAll("a[data-times]")) link.search = `?${question(at)}`;
    for (const field of document.querySelectorAll("input[name='at']:not(#moment)")) field.value = iso(at);
    for (const field of document.querySelectorAll("input[name='known-at']:not(#known)")) field.value = knownAt;
    busy("true");
    if (!soon || !flying) pending = ask();
  }

  function place() {
    slider.value = String(at);
    slider.setAttribute("aria-valuetext", written(at));
    get("moment-text").textContent = written(at);
    line.hidden = plots.length === 0 || at < first || at > last; // nothing is drawn out there
    if (!line.hidden) line.style.transform = `translateX(${plots[0].over.offsetLeft + plots[0].valToPos(at, "x") - 1}px)`;
  }

  // The nearest event or full hour within a few pixels; liquidations before all others.
  function snapped(moment) {
    if (!plots.length) return moment;
    const reach = ((last - first) / plots[0].over.clientWidth) * SNAP;
    const nearest = (list) => list.filter((each) => Math.abs(each - moment) <= reach)
      .sort((one, other) => Math.abs(one - moment) - Math.abs(other - moment))[0];
    const worst = marks.filter((each) => each.family === Lanes.WORST).map((each) => each.ms);
    return nearest([first, last]) ?? nearest(worst) ?? nearest(marks.map((each) => each.ms))
      ?? nearest([Math.round(moment / HOUR) * HOUR]) ?? moment;
  }

  // One event on: the answer to the present instant knows its neighbors.
  let stepping = false;
  async function step(direction) {
    if (stepping) return;
    stepping = true;
    await pending;
    stepping = false;
    if (around.at !== at) return;
    const next = direction > 0 ? around.next : around.previous;
    if (next === null) tell(direction > 0 ? "No event is known after this instant." : "No event is known before this instant.");
    else go(next);
  }

  slider.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const arrow = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (arrow && event.shiftKey) go(arrow > 0 ? (Math.floor(at / HOUR) + 1) * HOUR : (Math.ceil(at / HOUR) - 1) * HOUR);
    else if (arrow) step(arrow);
    else if (event.key === "PageUp" || event.key === "PageDown") go(at + (event.key === "PageUp" ? 24 : -24) * HOUR);
    else if (event.key === "Home" || event.key === "End") go(event.key === "Home" ? first : last);
    else return;
    event.preventDefault();
  });
  slider.addEventListener("input", () => go(snapped(Number(slider.value)), true));

  known.addEventListener("input", () => {
    knownAt = known.value;
    get("known-text").textContent = `position ${known.value} of ${known.max}`;
    known.setAttribute("aria-valuetext", `position ${known.value} of ${known.max}`);
    go(at, true);
    window.clearTimeout(drawing);
    drawing = window.setTimeout(fetchLanes, 200);
  });

  // A step, or an event of the list: the page stays and moves there. Other clicks go their way.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-go], #lanes-table a, #lanes-events a");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(momentOf(link));
  });

  // ------------------------------------------------------------------ the lanes

  let drawing = 0;
  let drawn = null; // the answer that is drawn
  let fetching = null;

  async function fetchLanes() {
    if (fetching) fetching.abort();
    fetching = new AbortController();
    const ghost = knownAt === known.max ? "" : `&ghost=${known.max}`;
    try {
      const answer = await fetch(`${root.dataset.lanes}?${question(last)}${ghost}`, { signal: fetching.signal });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      drawn = await answer.json();
    } catch (error) {
      if (error.name !== "AbortError") get("lanes-wait").textContent = `The lanes cannot be drawn: ${error.message}.`;
      return;
    }
    draw();
  }

  function draw() {
    ({ marks } = drawn);
    get("lanes-wait").hidden = true;
    get("ghost-key").hidden = !drawn.ghost;
    get("lanes-notes").textContent = `The lanes: ${drawn.notes.join("; ")}.`;
    lanes.classList.add("drawn");
    plots = Lanes.draw(lanes, drawn, [first, last]);
    const titled = drawn.lanes.filter((each) => each.name.startsWith("position "));
    get("coins").textContent = titled.length ? `· ${titled.map((each, number) => `${each.name.slice(9)} ${["solid", "dashed", "dotted", "dash-dotted"][number % 4]}`).join(", ")}` : "";
    for (const plot of plots) for (const kind of ["pointerdown", "pointermove"]) plot.over.addEventListener(kind, (event) => scrub(plot, event));
    for (const details of [get("as-table"), get("as-events")]) if (details.open) fill();
    queueMicrotask(place); // the scales are set by then
  }

  // A press on a lane, or a drag over it, moves there.
  function scrub(plot, event) {
    if (event.buttons !== 1) return;
    go(snapped(plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x")), true);
  }

  function fill() {
    if (drawn) Lanes.tables(get("tables"), drawn, written, (moment) => `?${question(moment)}`);
  }
  for (const details of [get("as-table"), get("as-events")]) details.addEventListener("toggle", () => details.open && fill());

  let width = lanes.clientWidth;
  new ResizeObserver(() => {
    if (!drawn || Math.abs(lanes.clientWidth - width) < 2) return;
    width = lanes.clientWidth;
    draw();
  }).observe(lanes);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn && draw());
  fetchLanes();
})();
