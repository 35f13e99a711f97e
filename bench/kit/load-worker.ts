import { startLoad } from '../../src/testkit/load/load.ts'
import { startWebSockets, type WebSocketLoad } from '../../src/testkit/load/websockets.ts'
import { LoadOrder, type LoadReply } from './load-messages.ts'

// The load of a bench in a process of its own: `node load-worker.ts URL RATE UPLOADS AGAIN`. Orders come over the channel to the
// parent, each gets one reply; without a parent there is no load.

const [url = '', rate = '0', uploads = '0', again = 'false'] = process.argv.slice(2)
const LONGEST_MS = 10 * 60_000
const SOCKETS = 20
const MESSAGE_EVERY_MS = 200
/** Longer than anything a release does to a connection, so that there is always one in the middle. */
const UPLOAD_MS = 3_000
const UPLOAD_BYTES = 64 * 1024

const load = startLoad({
  url,
  ratePerSecond: Number(rate),
  connections: 'both',
  sendAgain: again === 'true',
  durationMs: LONGEST_MS,
  // 10% of 500 requests per second that last 2 s are 100 at a time; the rest is room for a stall.
  maxInFlight: 4000,
  mix: [
    { method: 'GET', path: '/', share: 90 },
    { method: 'GET', path: '/slow', share: 10 },
    { method: 'POST', path: '/upload', body: 'x'.repeat(UPLOAD_BYTES), share: Number(uploads) },
  ],
  slowShare: 1,
  slowUploadMs: UPLOAD_MS,
})
let sockets: WebSocketLoad | null = null

process.on('disconnect', () => process.exit(0))
process.on('message', (message) => {
  void obey(LoadOrder.parse(message)).then((reply) => process.send?.(reply))
})

async function obey(order: LoadOrder): Promise<LoadReply> {
  switch (order) {
    case 'open-sockets':
      sockets = startWebSockets({
        url: `${url.replace('http:', 'ws:')}/live`,
        count: SOCKETS,
        intervalMs: MESSAGE_EVERY_MS,
      })
      await sockets.ready
      return numbers()
    case 'close-sockets':
      await sockets?.stop()
      return numbers()
    case 'mark':
      return numbers()
    case 'stop':
      await load.stop()
      return numbers()
  }
}

function numbers(): LoadReply {
  const { sent, sentAgain, lost, errors, notSent, maxSendDelayMs } = load.stats()
  const {
    failedToOpen = 0,
    unexpectedCloses = 0,
    wrongEchoes = 0,
    gracefulCloses = 0,
  } = sockets?.stats() ?? {}
  return {
    sent,
    sentAgain,
    failed: lost.count + errors + notSent,
    samples: lost.samples.map(({ message }) => message),
    byKind: { ...lost.byKind, errors, notSent },
    maxSendDelayMs,
    sockets: { broken: failedToOpen + unexpectedCloses + wrongEchoes, graceful: gracefulCloses },
  }
}
