import { connect } from 'node:net'

const WAREHOUSE = { host: '127.0.0.1', port: Number(process.env.WAREHOUSE_PORT ?? 9) }
const RETRY_MS = 1000

let greeted = false

/** What the shop still waits for before it can take traffic; `null` when it is ready. */
export const waitingFor = () => (greeted ? null : 'warehouse connection: pending')

/** The warehouse greets with `ready`. The bug: nobody told this release where the warehouse is, so nothing answers. */
function greet() {
  const socket = connect(WAREHOUSE)
  socket.setTimeout(RETRY_MS, () => socket.destroy())
  socket.setEncoding('utf8').once('data', (greeting) => {
    greeted = greeting.startsWith('ready')
    socket.destroy()
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    if (!greeted) setTimeout(greet, RETRY_MS)
  })
}

greet()
