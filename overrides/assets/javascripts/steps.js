/* Steps one at a time, each lit up in the map beside them. Without scripts there is the whole list.
   The address names the step after #, so that a step can be linked to; arrow keys move within steps that have the focus. */
(function () {
  function setUp(box) {
    const list = box.querySelector(".steps__list")
    const steps = Array.from(list.children)
    const parts = Array.from(box.querySelectorAll("[data-part]"))
    const bar = document.createElement("div")
    const status = document.createElement("span")
    let at = 0
    let whole = false

    function button(word, look, act) {
      const made = document.createElement("button")
      made.type = "button"
      made.className = "steps__button " + look
      made.textContent = word
      made.addEventListener("click", act)
      bar.append(made)
      return made
    }

    const previous = button(box.dataset.previous, "steps__button--previous", function () { go(at - 1) })
    const next = button(box.dataset.next, "steps__button--next", function () { go(at + 1) })
    const all = button(box.dataset.all, "steps__button--all", function () {
      whole = !whole
      show()
    })
    bar.className = "steps__bar"
    status.className = "steps__status"
    status.setAttribute("role", "status")
    list.before(bar)
    bar.after(status)

    function show() {
      const lit = whole ? [] : steps[at].dataset.parts.split(" ")
      box.classList.toggle("steps--one", !whole)
      steps.forEach(function (step, index) { step.classList.toggle("step--shown", index === at) })
      parts.forEach(function (part) { part.classList.toggle("is-lit", lit.includes(part.dataset.part)) })
      /* Not `disabled`, which would take the focus away from whoever came to an end with the keyboard. */
      previous.setAttribute("aria-disabled", String(whole || at === 0))
      next.setAttribute("aria-disabled", String(whole || at === steps.length - 1))
      all.textContent = whole ? box.dataset.one : box.dataset.all
      /* Who comes to a step by its address is to see the map above it as well. */
      const above = list.getBoundingClientRect().top - box.getBoundingClientRect().top
      steps.forEach(function (step) {
        step.style.scrollMarginTop = whole ? "" : "calc(" + above + "px + " + getComputedStyle(box).scrollMarginTop + ")"
      })
    }

    function go(to) {
      if (whole || to < 0 || to >= steps.length || to === at) return
      at = to
      show()
      /* Not location.hash, which would scroll and fill the history. */
      history.replaceState(history.state, "", "#" + steps[at].id)
      status.textContent = Array.from(steps[at].querySelectorAll(".step__count, .step__call, .step__who, .step__means"))
        .map(function (each) { return each.textContent.trim() }).join(". ")
    }

    function fromAddress() {
      const found = steps.findIndex(function (step) { return "#" + step.id === decodeURIComponent(location.hash) })
      if (found < 0) return
      at = found
      whole = false
      show()
      steps[at].scrollIntoView()
    }

    box.addEventListener("keydown", function (event) {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || whole) return
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: steps.length - 1 }[event.key]
      if (to === undefined) return
      event.preventDefault()
      go(to)
    })
    addEventListener("hashchange", fromAddress)
    show()
    fromAddress()
  }

  document$.subscribe(function () { document.querySelectorAll(".steps").forEach(setUp) })
})()
