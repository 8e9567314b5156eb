
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const view = document.getElementById("view");
  const [world, frames, lines, boxes, counts, about] = ["world", "frames", "lines", "nodes", "counts", "about"].map((id) => document.getElementById(id));
  const WIDE = 230, HIGH = 42, GAP = 12, FAR = 0.45, ALL_OPEN = 60, MOST_TAKEN = 1500;
  const byId = new Map(data.nodes.map((node) => [node.id, node]));
  const inside = new Map([[null, []], ...data.nodes.map((node) => [node.id, []])]);
  for (const node of data.nodes) inside.get(node.parent).push(node);
  const opened = new Set();
  const places = new Map();
  let picked = null, at = { x: 0, y: 0, k: 1 };

  const number = (count) => count.toLocaleString("en-US");
  const isParent = (node) => inside.get(node.id).length > 0;
  const put = (parent, name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const write = (parent, name, text) => {
    const made = document.createElement(name);
    made.textContent = text;
    parent.append(made);
    return made;
  };
  const cut = (text, most) => {
    const letters = [...text];
    if (letters.length <= most) return text;
    const end = Math.floor(most / 3);
    return letters.slice(0, most - end - 1).join("") + "…" + letters.slice(-end).join("");
  };
  const told = (node) => [number(node.events) + (node.events === 1 ? " event" : " events"), node.priority].filter(Boolean).join(" · ");

  // Where everything is: children in columns inside their parent, so that no side gets much longer than the other.

  const packed = (sizes, gap, ratio) => {
    const total = sizes.reduce((sum, size) => sum + size.h + gap, 0);
    let best = null;
    for (let columns = 1; columns <= sizes.length; columns = Math.ceil(columns * 1.2)) {
      const found = [];
      let x = 0, y = 0, wide = 0, high = 0;
      for (const size of sizes) {
        if (y > 0 && y + size.h / 2 > total / columns) [x, y, wide] = [x + wide + gap, 0, 0];
        found.push({ x, y });
        wide = Math.max(wide, size.w);
        y += size.h + gap;
        high = Math.max(high, y - gap);
      }
      best = { found, w: x + wide, h: high };
      if (best.w >= best.h * ratio) break;
    }
    return best ?? { found: [], w: 0, h: 0 };
  };
  const measured = (node) => {
    if (!isParent(node) || !opened.has(node.id)) return { node, w: WIDE, h: HIGH, within: [] };
    const within = inside.get(node.id).map(measured);
    const pack = packed(within, GAP, 0.6);
    within.forEach((size, index) => Object.assign(size, pack.found[index]));
    return { node, within, w: Math.max(pack.w, WIDE) + 2 * GAP, h: pack.h + HIGH + GAP };
  };
  const laid = (size, x, y, level) => {
    places.set(size.node.id, { x, y, w: size.w, h: size.h, level });
    for (const one of size.within) laid(one, x + GAP + one.x, y + HIGH + one.y, level + 1);
  };
  const layout = () => {
    places.clear();
    const sizes = inside.get(null).map(measured);
    const hosts = sizes.filter((size) => size.node.kind !== "network");
    const pack = packed(hosts, 60, 0.9);
    hosts.forEach((size, index) => laid(size, pack.found[index].x, pack.found[index].y, 1));
    for (const size of sizes) if (size.node.kind === "network") laid(size, pack.w + (pack.w ? 200 : 0), 0, 1);
  };

  // Drawing.

  const shown = (id) => {
    while (!places.has(id)) id = byId.get(id).parent;
    return id;
  };
  const drawNode = (node) => {
    const { x, y, w, h, level } = places.get(node.id);
    const parent = isParent(node), open = opened.has(node.id);
    const words = `${node.kind} ${node.label}, ${told(node)}`;
    const group = put(boxes, "g", {
      class: `node ${node.kind} ${node.level ?? "none"}${open ? " open" : ""}`, transform: `translate(${x} ${y})`, role: "treeitem",
      "data-id": node.id, "aria-label": words, "aria-level": level, "aria-selected": node.id === picked, tabindex: -1,
    });
    if (parent) group.setAttribute("aria-expanded", open);
    put(group, "title", {}, words);
    // The inside of an open node lies below the lines that lead into it.
    if (open) put(frames, "rect", { class: "frame", transform: `translate(${x} ${y})`, width: w, height: h, rx: 7 });
    put(group, "rect", { class: "box", width: w, height: open ? HIGH : h, rx: node.kind === "address" ? HIGH / 2 : 7 });
    put(group, "rect", { class: "stripe", x: node.kind === "address" ? 10 : 5, y: node.kind === "address" ? 13 : 6, width: 5, height: node.kind === "address" ? HIGH - 26 : HIGH - 12, rx: 2.5 });
    const sign = parent ? (open ? "▾ " : "▸ ") : "";
    put(group, "text", { x: 20, y: 18 }, sign + cut(node.label, 30 - sign.length));
    put(group, "text", { class: "told", x: 20, y: 33 }, told(node) + (parent && !open ? ` · ${number(inside.get(node.id).length)} inside` : ""));
  };
  const joined = () => {
    const found = new Map();
    for (const edge of data.edges) {
      const from = shown(edge.client), to = shown(edge.server);
      // What goes on inside of a closed node is not seen.
      if (from === to && (edge.client !== edge.server || from !== edge.client)) continue;
      const key = `${from} ${to}`;
      const one = found.get(key) ?? { from, to, events: 0, rank: 9, ways: new Set() };
      one.events += edge.events;
      if ((edge.rank ?? 8) < one.rank) [one.rank, one.level] = [edge.rank ?? 8, edge.level ?? "none"];
      if (edge.via) one.ways.add(edge.via);
      found.set(key, one);
    }
    return [...found.values()];
  };
  const curve = (a, b) => {
    const [y1, y2] = [a.y + HIGH / 2, b.y + HIGH / 2];
    if (a === b) return [[a.x + a.w, y1 - 8], [a.x + a.w + 70, y1 - 34], [a.x + a.w + 70, y1 + 34], [a.x + a.w + 1, y1 + 8]];
    let [x1, x2, out, back] = [a.x + a.w, b.x, 1, -1];
    if (b.x + b.w + 20 < a.x) [x1, x2, out, back] = [a.x, b.x + b.w, -1, 1];
    else if (b.x < a.x + a.w + 20) [x2, back] = [b.x + b.w, 1];
    const bend = Math.max(40, Math.abs(x2 - x1) / 2);
    return [[x1, y1], [x1 + out * bend, y1], [x2 + back * bend, y2], [x2, y2]];
  };
  const along = (points, t) => [0, 1].map((axis) => {
    const [a, b, c, d] = points.map((point) => point[axis]), u = 1 - t;
    return u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c + t * t * t * d;
  });
  // A count stands on its line where nothing else is, as far as there is such a place.
  const freeSpot = (points, words, taken) => {
    const half = words.length * 3.2 + 3;
    const isFree = ([x, y]) => !taken.some((one) => x + half > one.x && x - half < one.x + one.w && y + 3 > one.y && y - 11 < one.y + one.h);
    const spots = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8].map((t) => along(points, t));
    const [x, y] = (taken.length < MOST_TAKEN && spots.find(isFree)) || spots[0];
    taken.push({ x: x - half, y: y - 11, w: 2 * half, h: 14 });
    return { x, y };
  };
  const isIn = (id, outer) => {
    while (id !== outer && byId.has(id)) id = byId.get(id).parent;
    return id === outer;
  };
  const drawEdge = (edge, taken) => {
    const points = curve(places.get(edge.from), places.get(edge.to));
    const lit = picked !== null && (isIn(edge.from, picked) || isIn(edge.to, picked)) ? " lit" : "";
    const ways = [...edge.ways];
    const words = [ways.slice(0, 2).join(", ") + (ways.length > 2 ? ", …" : ""), number(edge.events)].filter(Boolean).join(" · ");
    const [start, ...rest] = points.map((point) => point.join(" "));
    const line = put(lines, "path", {
      class: `edge ${edge.level ?? "none"}${lit}`, d: `M${start}C${rest.join(" ")}`, "stroke-width": 1 + Math.log10(edge.events + 1),
      "marker-end": `url(#arrow-${edge.level ?? "none"})`, "data-from": edge.from, "data-to": edge.to,
    });
    put(line, "title", {}, `${byId.get(edge.from).label} → ${byId.get(edge.to).label}: ${words}`);
    put(counts, "text", { class: `count${lit}`, ...freeSpot(points, words, taken) }, words);
  };
  const draw = () => {
    const focused = document.activeElement?.dataset?.id;
    layout();
    for (const part of [frames, lines, boxes, counts]) part.replaceChildren();
    for (const node of data.nodes) if (places.has(node.id)) drawNode(node);
    const taken = [...places].map(([id, place]) => (opened.has(id) ? { ...place, h: HIGH } : place));
    joined().forEach((edge) => drawEdge(edge, taken));
    world.classList.toggle("picked", lines.querySelector(".lit") !== null);
    const stop = element(focused ?? picked) ?? boxes.firstElementChild;
    stop?.setAttribute("tabindex", 0);
    if (focused) (element(focused) ?? element(picked))?.focus();
  };
  const element = (id) => (id ? boxes.querySelector(`[data-id="${CSS.escape(id)}"]`) : null);

  // The view.

  const apply = () => {
    world.setAttribute("transform", `translate(${at.x} ${at.y}) scale(${at.k})`);
    world.classList.toggle("far", at.k < FAR);
  };
  const move = (x, y) => {
    at = { ...at, x: at.x + x, y: at.y + y };
    apply();
  };
  const zoom = (factor, x = view.clientWidth / 2, y = view.clientHeight / 2) => {
    const k = Math.min(4, Math.max(0.02, at.k * factor));
    at = { k, x: x - ((x - at.x) * k) / at.k, y: y - ((y - at.y) * k) / at.k };
    apply();
  };
  const fit = () => {
    const ends = [...places.values()];
    const w = Math.max(1, ...ends.map((place) => place.x + place.w)), h = Math.max(1, ...ends.map((place) => place.y + place.h));
    const k = Math.min(1.2, Math.max(0.02, Math.min((view.clientWidth - 60) / (w + 70), (view.clientHeight - 90) / h)));
    at = { k, x: Math.max(20, (view.clientWidth - (w + 70) * k) / 2), y: Math.max(20, (view.clientHeight - 50 - h * k) / 2) };
    apply();
  };
  const bringIn = (id) => {
    const place = places.get(id);
    const [x, y, w] = [at.x + place.x * at.k, at.y + place.y * at.k, Math.min(place.w, WIDE) * at.k];
    const [wide, high] = [view.clientWidth, view.clientHeight];
    if (x < 10 || x + w > wide - 10) move(wide / 3 - x, 0);
    if (y < 10 || y + HIGH * at.k > high - 50) move(0, high / 3 - y);
  };

  // What is picked.

  const tell = (node) => {
    about.replaceChildren();
    if (!node) return;
    write(about, "h2", node.label);
    write(about, "p", `${node.kind} · ${told(node)}`);
    const names = write(about, "dl", "");
    for (const [name, value] of Object.entries(node.details)) {
      write(names, "dt", name);
      write(names, "dd", value);
    }
    // Those of an open node are drawn from what is in it.
    const own = joined().filter((edge) => isIn(edge.from, node.id) || isIn(edge.to, node.id)).sort((a, b) => b.events - a.events);
    const list = write(about, "ul", "");
    for (const edge of own.slice(0, 50)) {
      const out = isIn(edge.from, node.id), [here, there] = out ? [edge.from, edge.to] : [edge.to, edge.from];
      const arrow = edge.from === edge.to ? "↺" : out ? "→" : "←";
      const words = [here === node.id ? "" : byId.get(here).label, arrow, byId.get(there).label, [...edge.ways].slice(0, 4).join(", ")];
      write(list, "li", [...words, `· ${number(edge.events)}`].filter(Boolean).join(" "));
    }
    if (own.length > 50) write(list, "li", `${number(own.length - 50)} more`);
  };
  const pick = (id) => {
    picked = id;
    draw();
    tell(byId.get(id));
  };
  const toggle = (id, open = !opened.has(id)) => {
    if (isParent(byId.get(id))) opened[open ? "add" : "delete"](id);
    pick(id);
  };
  const focus = (id) => {
    boxes.querySelector('[tabindex="0"]')?.setAttribute("tabindex", -1);
    const stop = element(id);
    stop.setAttribute("tabindex", 0);
    stop.focus({ preventScroll: true });
    bringIn(id);
  };
  const openAll = (open) => {
    for (const node of data.nodes) if (isParent(node)) opened[open ? "add" : "delete"](node.id);
    if (picked !== null && !open) picked = null;
    draw();
    tell(byId.get(picked));
    fit();
  };

  // Pointers: one moves, two zoom; one that did not move is a click.

  const fingers = new Map();
  let travelled = 0;
  view.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (fingers.size === 0) travelled = 0;
    fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY, target: event.target });
  });
  view.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    const [x, y] = [event.offsetX, event.offsetY];
    const other = [...fingers.entries()].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const far = (a, b) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
      zoom(far({ x, y }, other) / far(finger, other), (x + other.x) / 2, (y + other.y) / 2);
    }
    travelled += Math.hypot(x - finger.x, y - finger.y);
    if (travelled > 4) {
      if (!view.hasPointerCapture(event.pointerId)) view.setPointerCapture(event.pointerId);
      view.classList.add("moving");
      const share = other ? 0.5 : 1;
      move((x - finger.x) * share, (y - finger.y) * share);
      Object.assign(finger, { x, y });
    }
  });
  const lift = (event) => {
    const finger = fingers.get(event.pointerId);
    fingers.delete(event.pointerId);
    view.classList.remove("moving");
    if (!finger || event.type !== "pointerup" || travelled > 4) return;
    const node = finger.target.closest?.(".node");
    if (!node) return pick(null);
    toggle(node.dataset.id);
    focus(node.dataset.id);
  };
  view.addEventListener("pointerup", lift);
  view.addEventListener("pointercancel", lift);
  view.addEventListener("wheel", (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 18 : 1;
    zoom(Math.exp(-Math.max(-300, Math.min(300, event.deltaY * unit)) * 0.0016), event.offsetX, event.offsetY);
  }, { passive: false });

  // Keys: as in a tree on nodes, and over the view elsewhere.

  const views = { "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit };
  const arrows = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const id = event.target.dataset?.id;
    const act = views[event.key] ?? (id && !event.shiftKey ? keysOf(id)[event.key] : arrows[event.key] && (() => move(...arrows[event.key])));
    if (!act) return;
    event.preventDefault();
    act();
  });
  const keysOf = (id) => {
    const order = data.nodes.filter((node) => places.has(node.id)).map((node) => node.id);
    const here = order.indexOf(id), node = byId.get(id), open = opened.has(id);
    const to = (other) => other && focus(other);
    return {
      Enter: () => toggle(id), " ": () => toggle(id), Escape: () => pick(null),
      ArrowDown: () => to(order[here + 1]), ArrowUp: () => to(order[here - 1]), Home: () => to(order[0]), End: () => to(order.at(-1)),
      ArrowRight: () => (isParent(node) && !open ? toggle(id, true) : isParent(node) && to(order[here + 1])),
      ArrowLeft: () => (open ? toggle(id, false) : to(node.parent)),
    };
  };
  const on = (id, act) => document.getElementById(id).addEventListener("click", act);
  on("smaller", () => zoom(0.8));
  on("larger", () => zoom(1.25));
  on("fit", fit);
  on("open", () => openAll(true));
  on("close", () => openAll(false));
  on("theme", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  if (data.nodes.length <= ALL_OPEN) for (const node of data.nodes) if (isParent(node)) opened.add(node.id);
  draw();
  fit();
})();
