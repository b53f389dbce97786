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

  new MutationObserver(function () {
    const scores = Array.from(list.querySelectorAll("[data-md-score]"))
    const isNothing = scores.length && scores.every(function (each) { return Number(each.dataset.mdScore) === 0 })
    if (isNothing) result.querySelector(".md-search-result__meta").textContent = result.dataset.nothing
  }).observe(list, { childList: true })
})()
