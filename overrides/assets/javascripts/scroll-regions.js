/* A region that scrolls sideways must be reachable by keyboard; one that does not must not be a tab stop. */
(function () {
  function update() {
    document.querySelectorAll(".md-typeset__scrollwrap, .nb-output > pre").forEach(function (region) {
      if (region.scrollWidth > region.clientWidth) region.setAttribute("tabindex", "0")
      else region.removeAttribute("tabindex")
    })
  }
  /* After the theme's own script has wrapped the tables. */
  document$.subscribe(function () { requestAnimationFrame(update) })
  addEventListener("resize", update)
})()
