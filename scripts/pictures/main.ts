// Makes the pictures of the documentation anew: `node scripts/pictures/main.ts`. A real canary of the example shop under
// load, seen in a terminal (tmux) and on the page (Chromium). Needs tmux and Chromium (npm run testbed).
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'

import { openBrowser } from './browser.ts'
import { sluice, startLoad } from './command.ts'
import { terminalPage } from './terminal-page.ts'
import { openTerminal } from './tmux.ts'
import { setWorkshop } from './workshop.ts'

const IMAGES = fileURLToPath(new URL('../../docs/images', import.meta.url))
const LOAD_PER_SECOND = 150
/** The pictures show the second stage, some seconds after it began. */
const SHOWN_WEIGHT_PERMILLE = 250
const SETTLE_MS = 5000
const POLL_MS = 500
const WAIT_LIMIT_MS = 120_000
const COLUMNS = 110
const ROWS = 34

const Up = z.object({ page: z.string() })
const Status = z.object({
  services: z.tuple([z.object({ rollout: z.object({ weight: z.object({ desiredPermille: z.number() }) }) })]),
})

const workshop = setWorkshop()
const { config, url } = workshop
const { page } = Up.parse(JSON.parse(sluice(['up', '--config', config, '--json'])))
sluice(['deploy', '1.0.0', '--yes', '--config', config])
const load = startLoad(url, LOAD_PER_SECOND)
const terminal = openTerminal(['deploy', '1.1.0', '--yes', '--config', config], {
  columns: COLUMNS,
  rows: ROWS,
})
try {
  await takePictures()
} finally {
  terminal.close()
  load.kill()
  sluice(['down', '--yes', '--config', config])
  workshop.clear()
}

async function takePictures(): Promise<void> {
  await untilShown()
  mkdirSync(IMAGES, { recursive: true })
  const browser = await openBrowser()
  try {
    await browser.picture({
      signIn: page,
      path: '/services/shop.local',
      file: `${IMAGES}/page.png`,
      width: 1280,
      height: 900,
      settleMs: SETTLE_MS,
    })
    await browser.pictureOf({
      html: terminalPage(frameOf(terminal.capture('colours'))),
      file: `${IMAGES}/terminal.png`,
    })
    process.stdout.write(`\n${frameOf(terminal.capture('plain'))}\n`)
  } finally {
    await browser.close()
  }
}

/** From the headline on: what stood above it before the live view began is left out. */
function frameOf(captured: string): string {
  const lines = captured.split('\n')
  return lines
    .slice(
      Math.max(
        0,
        lines.findIndex((line) => line.includes('●')),
      ),
    )
    .join('\n')
}

async function untilShown(): Promise<void> {
  const end = Date.now() + WAIT_LIMIT_MS
  while (Date.now() < end) {
    const status = Status.parse(JSON.parse(sluice(['status', '--config', config, '--json'])))
    if (status.services[0].rollout.weight.desiredPermille === SHOWN_WEIGHT_PERMILLE) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error('the canary did not reach its second stage in time')
}
