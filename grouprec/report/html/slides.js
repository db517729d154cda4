// Turns the six views: arrow keys, Page Up and Down, space, Home, End; swiping; F fills the screen; Escape leaves.
"use strict";
(() => {
  const views = Array.from(document.querySelectorAll(".view"));
  const now = () => Math.max(0, views.findIndex((view) => "#" + view.id === location.hash));
  const show = (n) => { if (views[n] && n !== now()) location.hash = views[n].id; };
  const steps = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };
  const scrolls = () => document.documentElement.scrollHeight > innerHeight + 1;

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const sideways = event.key === "ArrowRight" || event.key === "ArrowLeft";
    if (event.key === " " && event.target.closest("a")) return;
    if (event.key in steps && (sideways || !scrolls())) show(now() + steps[event.key]);
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(views.length - 1);
    else if (event.key === "f" || event.key === "F") fill();
    else if (event.key === "Escape") { const way = document.querySelector(".leave"); if (way) location.assign(way.href); }
    else return;
    event.preventDefault();
  });

  function fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen().catch(() => {});
  }

  let from = null;
  addEventListener("touchstart", (event) => {
    from = event.touches.length === 1 ? event.touches[0] : null;
  }, { passive: true });
  addEventListener("touchend", (event) => {
    if (!from) return;
    const to = event.changedTouches[0], x = to.clientX - from.clientX, y = to.clientY - from.clientY;
    if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) show(now() + (x < 0 ? 1 : -1));
  }, { passive: true });
})();
