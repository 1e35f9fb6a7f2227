"use strict";

// Tables: a click on a title sorts by its column, numbers as numbers, empty cells last.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const each of heads) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[column].textContent.trim().replace(/^± /, "");
    const number = (text) => (/^[+-]?[\d.]/.test(text) ? parseFloat(text) : NaN);
    const order = (a, b) => {
      const numbers = [number(a), number(b)];
      return numbers.some(Number.isNaN) ? a.localeCompare(b, "en", { numeric: true }) : numbers[0] - numbers[1];
    };
    const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
    rows.sort(([a], [b]) => (!a || !b ? !a - !b : up ? order(a, b) : order(b, a)));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }));
}

// Pictures: the mark that is nearest to the pointer says what it stands for; arrow keys go from mark to mark.
const tip = document.getElementById("tip");
for (const picture of document.querySelectorAll(".live")) {
  const spots = JSON.parse(picture.querySelector("script").textContent);
  const ring = picture.querySelector(".ring");
  let shown = -1;
  const hide = () => { tip.hidden = true; ring.style.display = "none"; };
  const show = (index) => {
    shown = index;
    const [left, top, right, bottom, told] = spots[index];
    const { width, height, x, y } = picture.getBoundingClientRect();
    const size = [Math.max(12, (right - left) * width), Math.max(12, (bottom - top) * height)];
    const middle = [(left + right) / 2 * width, (top + bottom) / 2 * height];
    ring.style.cssText = `display:block;left:${middle[0] - size[0] / 2}px;top:${middle[1] - size[1] / 2}px;`
      + `width:${size[0]}px;height:${size[1]}px`;
    tip.textContent = told;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const over = y + top * height - box.height - 14;
    tip.style.left = `${Math.max(4, Math.min(x + middle[0] - box.width / 2, innerWidth - box.width - 4))}px`;
    tip.style.top = `${over > 4 ? over : y + bottom * height + 14}px`;
  };
  const find = (event) => {
    const { width, height, x, y } = picture.getBoundingClientRect();
    const [px, py] = [event.clientX - x, event.clientY - y];
    let [best, index] = [14, -1];
    spots.forEach(([left, top, right, bottom], number) => {
      const away = Math.hypot(
        Math.max(left * width - px, 0, px - right * width), Math.max(top * height - py, 0, py - bottom * height));
      if (away < best) [best, index] = [away, number];
    });
    if (index < 0) hide(); else show(index);
  };
  for (const event of ["pointermove", "pointerdown"]) picture.addEventListener(event, find);
  for (const event of ["pointerleave", "blur"]) picture.addEventListener(event, hide);
  picture.tabIndex = 0;
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    show((shown + step + spots.length) % spots.length);
  });
}
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

// Sections: an address opens its section, and paper gets all of them.
const folds = [...document.querySelectorAll("details")];
const openAll = (open) => { for (const each of folds) each.open = open; };
const reveal = () => {
  const aim = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!aim) return;
  if (aim.tagName === "DETAILS") aim.open = true;
  aim.scrollIntoView();
};
addEventListener("hashchange", reveal);
addEventListener("beforeprint", () => openAll(true));
for (const link of document.querySelectorAll('a[href^="#"]')) link.addEventListener("click", () => setTimeout(reveal));
const unfold = document.getElementById("unfold");
unfold.addEventListener("click", () => {
  const open = unfold.textContent === "Open all";
  openAll(open);
  unfold.textContent = open ? "Close all" : "Open all";
});
reveal();
