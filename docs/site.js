// The theme gives all bars with a copy button the same name; screen readers list them by it.
const seen = new Set();
function nameBars() {
  for (const bar of document.querySelectorAll(".md-code__nav")) {
    if (seen.has(bar)) continue;
    seen.add(bar);
    bar.setAttribute("aria-label", `Code ${seen.size}`);
  }
}

// A table wider than its page can be scrolled, by keyboard, too.
function reachTables() {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) {
    box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1;
  }
}

new MutationObserver(() => {
  nameBars();
  reachTables();
}).observe(document.body, { childList: true, subtree: true });
addEventListener("resize", reachTables);

// The search dialog and its field have no name of their own.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
document.querySelector(".md-search__input")?.setAttribute("aria-label", "Search");
