/* The search, in a worker of its own. The theme starts it instead of its own worker (overrides/main.html) and speaks to
   it in the four messages that its own understands. The theme's worker gives lunr alone: index, stemmer, stop words. */
const SETUP = 0, READY = 1, QUERY = 2, RESULT = 3

const engine = import("./engine.js").then(function (module) { return module.Engine })

/* The theme's worker would answer too: it is not to hear. */
self.addEventListener = function () {}
importScripts("../workers/search." + new URLSearchParams(location.search).get("theme"))
delete self.addEventListener

let search

async function answer(message) {
  if (message.type === SETUP) {
    search = engine.then(function (Engine) { return new Engine(self.lunr, message.data) })
    await search
    return { type: READY }
  }
  if (message.type === QUERY) return { type: RESULT, data: (await search).search(message.data) }
  throw new TypeError("the theme sent a message that is not known here: " + message.type)
}

self.addEventListener("message", async function (event) {
  self.postMessage(await answer(event.data))
})
