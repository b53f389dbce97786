/* A field above each table, which leaves the rows with what one types, in any column, or those that have most of a line
   that one pastes; and buttons above the timeline, which leave the entries of whom one presses. Without scripts there is
   neither, and everything is shown. What the address names after # is shown whatever the field and the buttons say. */
(function () {
  /* From so many words on it is a line, of which some are the reader's own: no row has them. */
  const LINE = 5
  let clean = function (text) { return { text, hadNoise: false } }

  function plain(text) {
    return text.normalize("NFKC").toLowerCase()
  }

  /* Choose the rows that have every word; of a line those that have most of it, and the rarer a word the more. */
  function having(texts, typed) {
    const { text, hadNoise } = clean(typed)
    const words = plain(text).split(/["'`\s]+|[:,;.]+(?=\s|$)/).filter(Boolean)
    const counts = words.map(function (word) {
      return texts.filter(function (row) { return row.includes(word) }).length
    })
    const worths = texts.map(function (row) {
      return words.reduce(function (sum, word, at) {
        return row.includes(word) ? sum + Math.log(1 + texts.length / counts[at]) : sum
      }, 0)
    })
    const most = Math.max(...worths)
    return texts.map(function (row, index) {
      if (words.every(function (word) { return row.includes(word) })) return true
      const isLine = hadNoise || words.length >= LINE
      return isLine && most > 0 && worths[index] === most
    })
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
    const update = narrow(box, rows, bar, function () {
      if (!field.value.trim()) return false
      const found = having(texts, field.value)
      return function (row, index) { return found[index] }
    })
    field.addEventListener("input", update)
    import("./search/clean.js").then(function (module) {
      clean = module.clean
      update()
    })
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
