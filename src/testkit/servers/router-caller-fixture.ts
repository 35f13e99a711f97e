// A controller for one call: it is told which router to make and which routes to set, and is killed in the middle.

process.on('message', async (told: { module: string; make: string; options: unknown; routes: unknown }) => {
  const { [told.make]: make } = await import(told.module)
  const made = make(told.options)
  const router = 'router' in made ? made.router : made
  process.send?.('calls')
  await router.setRoutes(told.routes)
  // Whoever started it ends it; until then it is a controller that has nothing more to do.
  setInterval(() => undefined, 1000)
})
process.send?.('ready')
