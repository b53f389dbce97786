/* A field above each table, which leaves the rows with what one types, in any column; and buttons above the timeline,
   which leave the entries of whom one presses. Without scripts there is neither, and everything is shown. What the
   address names after # is shown whatever the field and the buttons say. */
(function () {
  function plain(text) {
    return text.normalize("NFKC").toLowerCase()
  }

  function element(tag, className, text) {
    const made = document.createElement(tag)
    if (className) made.className = className
    if (text) made.textContent = text
    return made
  }

  /* Put a bar with the reader's means above what is listed; show the items that `wanted()` tells, and say how many. */
  function narrow(box, items, bar, wanted) {
    const count = element("span", "filter__count")
    count.setAttribute("role", "status")
    bar.append(count)
    box.prepend(bar)

    function update() {
      const test = wanted()
      let shown = 0
      items.forEach(function (item, index) {
        item.hidden = Boolean(test) && !test(item, index) && !item.matches(":target")
        if (!item.hidden) shown += 1
      })
      /* Nothing is said of a list that is whole. */
      count.textContent = test ? box.dataset.count.replace("{shown}", shown).replace("{all}", items.length) : ""
      box.querySelectorAll(".timeline__years > li").forEach(function (year) {
        year.hidden = !year.querySelector("[data-subject]:not([hidden])")
      })
    }

    addEventListener("hashchange", function () {
      update()
      /* A browser that looked for the target while it was hidden has not gone there; Chromium sometimes waits. */
      const target = box.querySelector(":target")
      if (target) target.scrollIntoView()
    })
    return update
  }

  function addField(box) {
    const rows = Array.from(box.querySelectorAll("tbody > tr"))
    const texts = rows.map(function (row) { return plain(row.textContent) })
    const bar = element("div", "filter")
    const label = element("label", "", box.dataset.filter)
    const field = element("input")
    field.type = "search"
    field.autocomplete = "off"
    field.spellcheck = false
    label.append(field)
    bar.append(label)
    field.addEventListener("input", narrow(box, rows, bar, function () {
      const words = plain(field.value).split(/\s+/).filter(Boolean)
      return words.length && function (row, index) {
        return words.every(function (word) { return texts[index].includes(word) })
      }
    }))
  }

  function addButtons(box) {
    const entries = Array.from(box.querySelectorAll("[data-subject]"))
    const bar = element("fieldset", "filter")
    const buttons = new Map()
    bar.append(element("legend", "", box.dataset.toggles))
    entries.forEach(function (entry) {
      if (buttons.has(entry.dataset.subject)) return
      const button = element("button", "filter__toggle", entry.querySelector(".timeline__subject").textContent)
      button.type = "button"
      button.setAttribute("aria-pressed", "false")
      buttons.set(entry.dataset.subject, button)
      bar.append(button)
    })
    function pressed(button) {
      return button.getAttribute("aria-pressed") === "true"
    }
    const update = narrow(box, entries, bar, function () {
      return Array.from(buttons.values()).some(pressed) && function (entry) {
        return pressed(buttons.get(entry.dataset.subject))
      }
    })
    buttons.forEach(function (button) {
      button.addEventListener("click", function () {
        button.setAttribute("aria-pressed", String(!pressed(button)))
        update()
      })
    })
  }

  document$.subscribe(function () {
    document.querySelectorAll("[data-filter]").forEach(addField)
    document.querySelectorAll("[data-toggles]").forEach(addButtons)
  })
})()
