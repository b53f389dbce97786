/* What the theme's search box does not do by itself: it waits for a key, which a paste by mouse or thumb and most
   Chinese input do not raise; and it counts the pages that lead on where nothing was found as if they had been. */
(function () {
  const field = document.querySelector(".md-search__input")
  const result = document.querySelector(".md-search-result")
  if (!field || !result) return
  const list = result.querySelector(".md-search-result__list")

  field.addEventListener("input", function (event) {
    if (!event.isComposing) field.dispatchEvent(new KeyboardEvent("keyup"))
  })
  field.addEventListener("compositionend", function () { field.dispatchEvent(new KeyboardEvent("keyup")) })

  function isNothing() {
    const scores = Array.from(list.querySelectorAll("[data-md-score]"))
    return scores.length > 0 && scores.every(function (each) { return Number(each.dataset.mdScore) === 0 })
  }

  new MutationObserver(function () {
    if (isNothing()) result.querySelector(".md-search-result__meta").textContent = result.dataset.nothing
  }).observe(list, { childList: true })

  /* The theme goes to the best of what was found; where nothing was, readers choose for themselves. */
  field.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || !isNothing()) return
    event.preventDefault()
    event.stopPropagation()
  })
})()
