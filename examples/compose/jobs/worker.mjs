// Brings new mugs, one every few seconds. Nobody asks it anything.
const { DATABASE = 'http://db:7000' } = process.env

async function bring() {
  try {
    const answer = await fetch(`${DATABASE}/mug?add=1`, { method: 'POST', signal: AbortSignal.timeout(1000) })
    console.log(`brought one, ${await answer.text()} are there`)
  } catch (error) {
    console.error(`the database does not answer: ${error.message}`)
  }
}

setInterval(bring, 3000)
process.on('SIGTERM', () => process.exit(0))
